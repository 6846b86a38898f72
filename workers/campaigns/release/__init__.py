"""When prepared targets are published: rollouts, pauses."""
