"""Ways to act on the world, one per file."""
