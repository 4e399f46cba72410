"""The demo: a real data set replayed as a live model."""
