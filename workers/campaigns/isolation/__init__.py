"""Where `run` steps run, and what they cannot reach."""
