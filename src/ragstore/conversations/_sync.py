# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The conversations' repository."""

from __future__ import annotations

from ragstore.core._sync import Repository
from ragstore.core.backend import Backend


class Conversations(Repository[Backend]):
    """Threads of messages."""
