"""The HTTP API: it calls the operations and queries of the engine, and changes nothing by itself."""
