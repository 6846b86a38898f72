"""How others list the repositories of an organisation, as their users would."""
