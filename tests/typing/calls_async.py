"""Each public call of the async face and the type it gives; checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import assert_type
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from ragstore import (
    AsyncStore,
    AsyncUnitOfWork,
    Chunk,
    Collection,
    Conversation,
    Document,
    EmbeddingSpace,
    Exchange,
    F,
    Feedback,
    Filter,
    LoadReport,
    Message,
    NewChunk,
    NewCitation,
    NewDocument,
    NewMessage,
    Page,
    PoolStatus,
    PutReport,
    SearchHit,
    SearchHits,
    Settings,
)
from ragstore.conversations.records import FeedbackChange
from ragstore.store._async import AsyncRepositories

NEW = NewDocument(source="a", title="A", doc_type="guide", metadata={"year": 2024, "tags": ["x"]})
CHUNKS = [NewChunk(content="text", embedding=[1.0, 0.0], metadata={"page": 1}), NewChunk(content="more")]


async def embed(texts: object) -> list[list[float]]:
    """Stand for a model."""
    return []


async def opening(engine: AsyncEngine, connection: AsyncConnection, session: AsyncSession) -> None:
    assert_type(AsyncStore.open("sqlite:///app.db"), AsyncStore)
    store = AsyncStore.open(engine, Settings(tenant=None, pool_size=2))
    assert_type(store.for_tenant("acme"), AsyncStore)
    assert_type(store.pool_status(), PoolStatus)
    assert_type(store.engine, AsyncEngine)
    assert_type(store.settings, Settings)
    assert_type(store.tenant, str | None)
    assert_type(store.using(connection), AsyncRepositories)
    assert_type(store.using(session), AsyncRepositories)
    async with store as same:
        assert_type(same, AsyncStore)
    async with store.begin(read_only=True) as unit:
        assert_type(unit, AsyncUnitOfWork)
        assert_type(unit.connection, AsyncConnection)
        assert_type(await unit.collections.get("docs"), Collection)
    assert_type(await store.aclose(), None)


async def collections(store: AsyncStore) -> None:
    made = await store.collections.ensure("docs", model="m", dimensions=2, metric="l2", language="en", metadata={})
    assert_type(made, Collection)
    assert_type(made.space, EmbeddingSpace | None)
    assert_type(await store.collections.get("docs"), Collection)
    assert_type(await store.collections.find("docs"), Collection | None)
    page = await store.collections.page(limit=10, cursor=None)
    assert_type(page, Page[Collection])
    assert_type(page.items, tuple[Collection, ...])
    assert_type(page.next_cursor, str | None)
    assert_type(list(page), list[Collection])
    assert_type(await store.collections.analyze("docs"), Collection)
    assert_type(await store.collections.delete("docs"), bool)


async def documents(store: AsyncStore, document_id: UUID) -> None:
    assert_type(await store.documents.put("docs", NEW, CHUNKS), PutReport)
    assert_type(await store.documents.put("docs", NEW, ["text", *CHUNKS], embed=embed, batch_size=8), PutReport)
    loaded = await store.documents.load(
        "docs", [(NEW, CHUNKS)], embed=embed, commit_every=10, partial=True, progress=lambda done, total: None
    )
    assert_type(loaded, LoadReport)
    assert_type(loaded.errors[0].error, Exception)
    assert_type(await store.documents.get(document_id), Document)
    assert_type(await store.documents.get(str(document_id)), Document)
    assert_type(await store.documents.find("docs", "a"), Document | None)
    assert_type(await store.documents.page("docs"), Page[Document])
    assert_type(await store.documents.delete("docs", "a"), bool)


async def chunks(store: AsyncStore, chunk_id: UUID) -> None:
    assert_type(await store.chunks.get(chunk_id), Chunk)
    assert_type(await store.chunks.find(str(chunk_id)), Chunk | None)
    assert_type(await store.chunks.find_by_hash("docs", "text"), list[Chunk])
    assert_type(await store.chunks.page(chunk_id), Page[Chunk])
    assert_type(await store.chunks.count("docs"), int)
    assert_type(await store.chunks.delete(chunk_id), bool)
    hits = await store.chunks.search(
        "docs", text="text", embedding=(1, 0.5), limit=5, offset=1, where=filters(), language="en", weights=(0.5, 1.0)
    )
    assert_type(hits, SearchHits)
    assert_type(hits[0], SearchHit)
    assert_type(hits[1:], tuple[SearchHit, ...])
    assert_type([hit.score for hit in hits], list[float])
    assert_type(hits[0].distance, float | None)
    assert_type(hits[0].chunk_id, UUID)


def filters() -> Filter:
    assert_type(F.doc_type == "guide", Filter)
    assert_type(F.page != None, Filter)  # noqa: E711
    assert_type(F.metadata["year"] >= 2024, Filter)
    assert_type(F.metadata["a"]["b"].contains("x"), Filter)
    assert_type(F.source.starts_with("https://"), Filter)
    assert_type(F.version.in_(["1", "2"]), Filter)
    return (F.doc_type == "guide") & (F.metadata["year"] < 2030) | ~F.heading.exists()


async def conversations(store: AsyncStore, hits: SearchHits, message_id: UUID) -> None:
    assert_type(await store.conversations.start("t", user_id="ada", title="A", metadata={}), Conversation)
    assert_type(await store.conversations.get("t"), Conversation)
    assert_type(await store.conversations.find("t"), Conversation | None)
    assert_type(await store.conversations.page_threads(user_id=None, limit=5), Page[Conversation])
    assert_type(await store.conversations.update("t", title=None, pinned=True), Conversation)
    assert_type(await store.conversations.delete("t"), bool)
    one = NewMessage(role="user", content="text", client_id="c")
    assert_type(await store.conversations.append("t", one), list[Message])
    assert_type(await store.conversations.append("t", [one, one], expected_head=0), list[Message])
    exchange = await store.conversations.record_exchange(
        thread_id="t", query="q", response="r", sources=hits, response_time=0.8, feedback=1, user_id="ada"
    )
    assert_type(exchange, Exchange)
    assert_type(exchange.answer, Message)
    cited = [NewCitation(source="https://docs.example"), *hits]
    assert_type(
        await store.conversations.record_exchange(thread_id="t", query="q", response="r", sources=cited), Exchange
    )
    assert_type(await store.conversations.history("t", limit=5), list[Message])
    assert_type(await store.conversations.page("t", backwards=True), Page[Message])
    assert_type(await store.conversations.get_message(message_id), Message)
    assert_type(await store.conversations.give_feedback(message_id, -1, user_id="ada", comment="no"), Feedback)
    assert_type(await store.conversations.delete_feedback(message_id, user_id="ada"), bool)
    assert_type(await store.conversations.feedback_changes(message_id), list[FeedbackChange])
