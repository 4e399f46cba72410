"""Metric systems, one per file."""
