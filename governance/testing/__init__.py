"""Policy tests: stories over series of samples, told to the real engine on a database in memory."""
