"""Every table of the database, so that creating it creates all of them, whoever asks first."""

from governance.store import alerts, effects, incidents, log_tables, progress, waivers

__all__ = ["alerts", "effects", "incidents", "log_tables", "progress", "waivers"]
