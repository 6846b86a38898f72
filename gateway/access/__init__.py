"""Who may do what: one table of rules, and the one place where they are kept."""
