"""The terminal app."""

import os
import sys

# The framework draws in frames: a key waits for the next one. At its usual 60 a second that is two thirds of the time
# that a key may take. What is at rest is drawn once a second all the same.
os.environ.setdefault("TEXTUAL_FPS", "500")
# Nothing glides: each picture between would be drawn, also over a slow line.
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
# A thread that reads answers gives way to the one that draws after half a millisecond, not after five: a key takes
# several turns, and would wait in each.
sys.setswitchinterval(0.0005)
