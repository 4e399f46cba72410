"""Runs: what the engine and people do with them."""
