"""Preparing a target: what the steps make of its repository, and what is stored of it."""
