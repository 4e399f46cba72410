"""Servers that documents name, asked within a deadline, and what became of it."""
