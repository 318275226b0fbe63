"""Where rate limits are decided on an engine with a single connection."""
