"""Notifications: who is told what of a campaign, and its sending."""
