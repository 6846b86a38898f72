"""Measurements side by side: Octobatch beside what a user would do instead, on the same stores, in one run."""
