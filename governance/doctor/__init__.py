"""Whether an installation works from end to end: one check per file, each a list of findings that others print."""
