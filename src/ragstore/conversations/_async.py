"""The conversations' repository."""

from __future__ import annotations

from ragstore.core._async import AsyncRepository
from ragstore.core.backend import Backend


class AsyncConversations(AsyncRepository[Backend]):
    """Threads of messages."""
