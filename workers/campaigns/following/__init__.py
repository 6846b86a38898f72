"""Following pull requests: what webhooks and GitHub say of them, and what is done about it."""
