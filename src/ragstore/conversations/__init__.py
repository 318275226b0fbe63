"""Conversations, messages, citations, feedback."""
