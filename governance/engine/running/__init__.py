"""Runs of runbooks: begun, driven, acted on by people, and shown."""
