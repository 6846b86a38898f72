"""The `octobatch` command: a client of the gateway, and the operator's commands of this machine."""
