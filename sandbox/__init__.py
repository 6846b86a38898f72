"""Everything that runs on one machine without an account: the stores, and a GitHub to practise on."""
