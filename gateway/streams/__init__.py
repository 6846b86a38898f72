"""Operating the services' command streams."""
