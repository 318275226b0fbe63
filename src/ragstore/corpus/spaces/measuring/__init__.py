"""Trying an approximate index out."""
