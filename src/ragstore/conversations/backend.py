"""What conversations ask of a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from ragstore.config import Settings
from ragstore.conversations.preparing import NOBODYS, Owner, Prepared
from ragstore.conversations.searching.asking import MessageSearch, RankedMessage
from ragstore.core.backend import Backend
from ragstore.core.query import Query, Steps


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch was stored.

    Attributes:
        conversation_id: In which conversation.
        head: The conversation's newest `seq` before it.
        parent_id: What the first message follows.
        stored_at: When.
    """

    conversation_id: UUID
    head: int
    parent_id: UUID | None
    stored_at: datetime


class Handle(Protocol):
    """What says whose conversations these are."""

    @property
    def settings(self) -> Settings:
        """Give the store's settings."""
        ...

    @property
    def tenant(self) -> str:
        """Give the tenant."""
        ...


@dataclass(frozen=True, slots=True)
class Append:
    """What is to be appended, checked.

    Attributes:
        schema: The schema of our tables.
        language: The language that the batch was analysed in.
        expected: Where the conversation's head must be; None: anywhere.
        owner: Whose the conversation is to be.
        parent_id: What the first message follows; None: nothing. Only if `placed`, else the current leaf.
    """

    tenant: str
    thread: str
    batch: Sequence[Prepared]
    schema: str
    language: str
    expected: int | None = None
    owner: Owner = NOBODYS
    placed: bool = False
    parent_id: UUID | None = None

    @classmethod
    def of(cls, access: Handle, thread: str, batch: Sequence[Prepared], language: str, **more: Any) -> Append:
        """Ask for a batch, analysed in a language, to be appended to a thread of the handle's tenant."""
        return cls(access.tenant, thread, batch, access.settings.schema, language, **more)

    def client_ids(self) -> list[str]:
        """Give the host's own ids among the messages."""
        return [new.fields["client_id"] for new in self.batch if new.fields["client_id"] is not None]


class ConversationsBackend(Backend, Protocol):
    """A backend, as conversations see it."""

    def append_at_once(self, asked: Append) -> Query[Place] | None:
        """Append a batch after the current leaf in one statement that needs no transaction around it.

        It makes the thread if it is new. It stores nothing and gives nothing where something is not as expected: the
        head, the owner, the language, a client id that is there. None: not possible here, or not of this batch.
        """
        ...

    def rank_messages(self, search: MessageSearch, rows: int) -> Steps[list[RankedMessage]]:
        """Give so many of the messages that hold any of a search's terms, the best first, ties by id."""
        ...
