"""Artifacts' bytes: in a folder, or in S3."""
