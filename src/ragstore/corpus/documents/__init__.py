"""Sources, put with their chunks."""
