"""Acts on pull requests that somebody asks for: bulk operations."""
