"""Deleting conversations that nobody has written to for a while."""
