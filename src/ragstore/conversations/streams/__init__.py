"""Messages whose text comes in pieces."""
