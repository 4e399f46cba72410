"""Slack: incidents told where people talk, and their answers."""
