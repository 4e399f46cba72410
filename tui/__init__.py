"""The terminal app."""

import os

# The framework draws in frames: a key waits for the next one. At its usual 60 a second that is two thirds of the time
# that a key may take. What is at rest is drawn once a second all the same.
os.environ.setdefault("TEXTUAL_FPS", "120")
