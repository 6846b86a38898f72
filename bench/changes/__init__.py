"""How others change many repositories, as their users would."""
