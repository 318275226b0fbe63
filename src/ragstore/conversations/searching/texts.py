"""What of a stored message is searched."""

from __future__ import annotations

from ragstore.conversations.indexing import searched_text
from ragstore.conversations.parts import as_stored
from ragstore.conversations.records import Message


def text_of(message: Message) -> str:
    """Give the text that a message is found by, and that its snippet is cut from."""
    return searched_text(message.content, as_stored(message.parts))
