"""The store: repositories over an engine, a unit of work, or the host's own transaction."""
