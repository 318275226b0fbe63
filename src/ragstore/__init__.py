"""The data layer of an application that answers questions over documents.

    import ragstore
    from ragstore import F, NewChunk, NewDocument, Store

    ragstore.upgrade("sqlite:///app.db")
    with Store.open("sqlite:///app.db") as store:
        store.collections.ensure("manuals", model="all-MiniLM-L6-v2", dimensions=384)

Importing it connects to nothing, sets up no logging, and loads neither Alembic nor a driver.
"""

from ragstore.config import Settings
from ragstore.conversations.parts import Attachment, CitationPart, ReasoningPart, TextPart, ToolCall, ToolResult
from ragstore.conversations.records import (
    Citation,
    Conversation,
    Exchange,
    Feedback,
    Message,
    MessageHit,
    NewCitation,
    NewMessage,
)
from ragstore.conversations.summing.records import CitedSum, FeedbackSum, UsageSum
from ragstore.core.paging import Page
from ragstore.core.snippets import Snippet
from ragstore.corpus.filters import F, Filter
from ragstore.corpus.records import (
    BackfillReport,
    Chunk,
    Collection,
    Document,
    EmbeddingSpace,
    ExportedChunk,
    IndexStatus,
    LoadProgress,
    LoadReport,
    NewChunk,
    NewDocument,
    OrphanReport,
    Passage,
    PutReport,
    RecallPoint,
    RecallReport,
    Recency,
    SearchExplanation,
    SearchHit,
    SearchHits,
    SearchQuery,
    SpaceCoverage,
)
from ragstore.errors import RagstoreError
from ragstore.migrations import aupgrade, upgrade
from ragstore.privacy.records import ErasureReport
from ragstore.rate_limits.limits import Limit
from ragstore.rate_limits.records import Charge, Decision, Policy, Reservation
from ragstore.sessions.records import NewSession, Session, SessionEvent, SessionInfo, SessionRules
from ragstore.store._async import AsyncStore, AsyncUnitOfWork
from ragstore.store._sync import Store, UnitOfWork
from ragstore.store.pool import PoolStatus, configure_engine

__all__ = [
    "AsyncStore",
    "AsyncUnitOfWork",
    "Attachment",
    "BackfillReport",
    "Charge",
    "Chunk",
    "Citation",
    "CitationPart",
    "CitedSum",
    "Collection",
    "Conversation",
    "Decision",
    "Document",
    "EmbeddingSpace",
    "ErasureReport",
    "Exchange",
    "ExportedChunk",
    "F",
    "Feedback",
    "FeedbackSum",
    "Filter",
    "IndexStatus",
    "Limit",
    "LoadProgress",
    "LoadReport",
    "Message",
    "MessageHit",
    "NewChunk",
    "NewCitation",
    "NewDocument",
    "NewMessage",
    "NewSession",
    "OrphanReport",
    "Page",
    "Passage",
    "Policy",
    "PoolStatus",
    "PutReport",
    "RagstoreError",
    "ReasoningPart",
    "RecallPoint",
    "RecallReport",
    "Recency",
    "Reservation",
    "SearchExplanation",
    "SearchHit",
    "SearchHits",
    "SearchQuery",
    "Session",
    "SessionEvent",
    "SessionInfo",
    "SessionRules",
    "Settings",
    "Snippet",
    "SpaceCoverage",
    "Store",
    "TextPart",
    "ToolCall",
    "ToolResult",
    "UnitOfWork",
    "UsageSum",
    "aupgrade",
    "configure_engine",
    "upgrade",
]
