"""Use cases: where pure decisions meet I/O."""
