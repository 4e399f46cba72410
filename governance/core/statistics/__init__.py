"""Statistics over mergeable counts."""
