"""What of a stored message is searched."""

from __future__ import annotations

from ragstore.conversations.indexing import searched_text
from ragstore.conversations.parts import to_json
from ragstore.conversations.records import Message


def text_of(message: Message) -> str:
    """Give the text that a message is found by, and that its snippet is cut from."""
    return searched_text(message.content, None if message.parts is None else [to_json(part) for part in message.parts])
