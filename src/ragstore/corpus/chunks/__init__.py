"""Pieces of text: found, listed, searched."""
