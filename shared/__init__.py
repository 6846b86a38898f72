"""What gateway and workers share: the domain, the settings, and the clients of every store and of GitHub."""
