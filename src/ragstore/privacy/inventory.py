"""The inventory: every table, where it tells of a person or an organisation, and what becomes of its rows.

Erasing goes by it, in its order: a table that is missing here would be missed there, so a test compares it with the
schema. "delete": rows are chosen by their own columns; "follow": they go with the row that they hang on, by a foreign
key; "keep": they stay, and `why` says for what reason. Nothing is made anonymous in place: whole rows go or stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Action = Literal["delete", "follow", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What becomes of a table's rows.

    Attributes:
        of_user: When one of the tenant's users is erased.
        of_tenant: When the tenant is.
        why: The reason where something is kept.
        user: The column that names the user, where rows are chosen by it.
        follows: The table of the row that each row hangs on, and with which it goes.
        columns: The columns that name a person or an organisation or may tell of one, and what they hold.
    """

    of_user: Action
    of_tenant: Action
    why: str = ""
    user: str | None = None
    follows: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


_CORPUS = "documents are the tenant's, not a user's; what one tells of a person, documents.delete_where deletes"
_HOST = "the host's own"
_USER = "the host's id of the user"
_ORGANISATION = "the host's id of the organisation"


def _corpus(follows: str | None = None, **columns: str) -> Entry:
    of_tenant: Action = "delete" if follows is None else "follow"
    return Entry(of_user="keep", of_tenant=of_tenant, why=_CORPUS, follows=follows, columns=columns)


INVENTORY: Mapping[str, Entry] = MappingProxyType(
    {
        # First, so that nobody who is logged in writes meanwhile.
        "rag_session": Entry(
            of_user="delete",
            of_tenant="delete",
            user="user_id",
            columns={
                "user_id": _USER,
                "organisation_id": _ORGANISATION,
                "data": _HOST,
                "ip": "the network of the device",
                "agent": "what the browser calls itself",
                "label": "what the host calls the device",
                "secret_hash": "a hash of a random secret",
                "nonce": "random",
            },
        ),
        "rag_session_user": Entry(of_user="delete", of_tenant="delete", user="user_id", columns={"user_id": _USER}),
        "rag_conversation": Entry(
            of_user="delete",
            of_tenant="delete",
            user="user_id",
            columns={
                "thread_id": "the host's id of the thread, which may be made of the user's",
                "user_id": _USER,
                "organisation_id": _ORGANISATION,
                "title": "text, often of the first question",
                "metadata": _HOST,
            },
        ),
        "rag_message": Entry(
            of_user="follow",
            of_tenant="follow",
            follows="rag_conversation",
            columns={
                "client_id": "the host's id of the message",
                "content": "what was said",
                "parts": "what was said, called and attached",
                "terms": "hashes of its words",
                "counts": "how often each stands there",
                "metadata": _HOST,
            },
        ),
        "rag_citation": Entry(
            of_user="follow",
            of_tenant="follow",
            follows="rag_message",
            columns={
                "source": "what was cited",
                "title": "what was cited",
                "snippet": "what was cited",
                "heading": "what was cited",
            },
        ),
        # What others have said of the user's messages follows these; what the user has said of others' is deleted.
        "rag_feedback": Entry(
            of_user="delete",
            of_tenant="follow",
            user="user_id",
            follows="rag_message",
            columns={"user_id": _USER, "comment": "what the user says of a message"},
        ),
        "rag_feedback_change": Entry(
            of_user="delete",
            of_tenant="follow",
            user="user_id",
            follows="rag_message",
            columns={"user_id": _USER, "comment": "what the user has said of a message"},
        ),
        # Before collections, so that no deletion is as large as one.
        "rag_document": _corpus(source="a URL, a path, an id", title="text", metadata=_HOST),
        "rag_chunk": _corpus("rag_document", content="text", metadata=_HOST, heading="text"),
        "rag_chunk_terms": _corpus("rag_chunk", lexemes="the words of a chunk"),
        "rag_chunk_key": _corpus("rag_chunk"),
        "rag_posting": _corpus("rag_chunk_key"),
        "rag_embedding": _corpus("rag_chunk", dense="a text's meaning", half="as dense", sparse="as dense"),
        "rag_collection": _corpus(name="the host's", metadata=_HOST),
        "rag_embedding_space": _corpus("rag_collection"),
        "rag_vector_change": _corpus("rag_embedding_space"),
        "rag_term": _corpus("rag_collection"),
        "rag_rate_limit": Entry(
            of_user="keep",
            of_tenant="delete",
            why="a count under a hash of its key, found by whoever knows or guesses the key alone; rate_limits.reset"
            " forgets it at once, and when it has expired maintenance().purge_rate_limits deletes it",
            columns={"key": "a hash, of a user's id or an address where the host limits by them"},
        ),
        "rag_meta": Entry(of_user="keep", of_tenant="keep", why="the schema's number, and nothing of anybody"),
    }
)
"""By the tables' names."""
