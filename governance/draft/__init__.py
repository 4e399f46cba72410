"""Draft a card from a sample of predictions: what its columns are, guessed from names, types and values."""
