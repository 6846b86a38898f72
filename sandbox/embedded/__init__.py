"""PostgreSQL and Valkey from wheels, as child processes with their data in a folder."""
