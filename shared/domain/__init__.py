"""The words of the business: frozen types and pure rules. No I/O and no framework."""
