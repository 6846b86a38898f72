"""Trust policies over HTTP."""
