"""Each public call of the async face and the type it gives; checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import assert_type
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from ragstore import (
    AsyncStore,
    AsyncUnitOfWork,
    BackfillReport,
    Charge,
    Chunk,
    CitedSum,
    Collection,
    Conversation,
    Decision,
    Document,
    EmbeddingSpace,
    ErasureReport,
    Exchange,
    ExportedChunk,
    F,
    Feedback,
    FeedbackSum,
    Filter,
    IndexStatus,
    Limit,
    LoadReport,
    Message,
    MessageHit,
    NewChunk,
    NewCitation,
    NewDocument,
    NewMessage,
    NewSession,
    OrphanReport,
    Page,
    Policy,
    PoolStatus,
    PutReport,
    RecallPoint,
    RecallReport,
    Reservation,
    SearchHit,
    SearchHits,
    SessionInfo,
    SessionRules,
    Settings,
    SpaceCoverage,
    ToolCall,
    UsageSum,
)
from ragstore import Session as LoginSession
from ragstore.conversations.records import FeedbackChange
from ragstore.conversations.streams._async import AsyncMessageStream
from ragstore.rate_limits import ip_key, rate_limit_headers
from ragstore.store._async import AsyncRepositories
from ragstore.store.maintenance._async import AsyncMaintenance

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
        "docs", [(NEW, CHUNKS)], embed=embed, commit_every=10, partial=True, progress=lambda told: print(told.rate)
    )
    assert_type(loaded, LoadReport)
    assert_type(loaded.errors[0].error, Exception)
    assert_type(await store.documents.get(document_id), Document)
    assert_type(await store.documents.get(str(document_id)), Document)
    assert_type(await store.documents.find("docs", "a"), Document | None)
    assert_type(await store.documents.page("docs"), Page[Document])
    assert_type(await store.documents.delete("docs", "a"), bool)
    assert_type(await store.documents.delete_by_id("a"), bool)
    assert_type(await store.documents.delete_where("docs", F.title == "A"), int)
    assert_type(await store.documents.delete_where("docs", {"title": "A"}), int)
    assert_type(await store.documents.delete_all("docs"), int)
    assert_type(await store.documents.update("docs", "a", title="A", doc_type=None, version="2", metadata={}), Document)
    assert_type(await store.documents.count("docs"), int)
    assert_type(await store.documents.count("docs", F.title == "A"), int)
    assert_type(store.documents.export("docs", F.title == "A", batch_size=10), AsyncIterator[Document])


async def chunks(store: AsyncStore, chunk_id: UUID) -> None:
    assert_type(await store.chunks.get(chunk_id), Chunk)
    assert_type(await store.chunks.find(str(chunk_id)), Chunk | None)
    assert_type(await store.chunks.find_by_hash("docs", "text"), list[Chunk])
    assert_type(await store.chunks.page(chunk_id), Page[Chunk])
    assert_type(await store.chunks.count("docs"), int)
    assert_type(await store.chunks.count("docs", F.page == 1), int)
    assert_type(await store.chunks.delete(chunk_id), bool)
    assert_type(await store.chunks.delete_where("docs", F.page == 1), int)
    assert_type(await store.chunks.delete_orphans("docs", ["a"], dry_run=True, batch_size=10), OrphanReport)
    assert_type(await store.chunks.missing_embeddings("docs", space="m", limit=10), Page[Chunk])
    assert_type(store.chunks.export("docs", F.page == 1, with_embeddings=True), AsyncIterator[ExportedChunk])
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


async def more_of_conversations(store: AsyncStore, message_id: UUID) -> None:
    chats, one = store.conversations, NewMessage(role="assistant", parts=[ToolCall(id="c"), {"any": "json"}])
    assert_type(await chats.append("t", one, parent_id=None), list[Message])
    assert_type(await chats.add_sibling(message_id, one), list[Message])
    assert_type(await chats.siblings(message_id, lenient=True), list[Message])
    assert_type(await chats.choose_branch(message_id), Conversation)
    assert_type(await chats.page_branch("t", leaf_id=message_id), Page[Message])
    assert_type(await chats.update_message(message_id, pinned=True), Message)
    assert_type(await chats.delete_message(message_id), int)
    assert_type(await chats.grow(message_id, "x", at=0), int)
    assert_type(await chats.finish(message_id, status="error", content="x"), Message)
    async with chats.stream("t", one, flush_every=1) as stream:
        assert_type(stream, AsyncMessageStream)
        await stream.write("x")
    assert_type(await chats.context("t", turns=3, tokens=100, lenient=True), list[Message])
    assert_type(await chats.search("x", user_id="ada", match="web", lenient=True), list[MessageHit])
    assert_type(await chats.usage(by=["user", "day"]), list[UsageSum])
    assert_type(await chats.feedback_sums(by=["model"]), list[FeedbackSum])
    assert_type(await chats.cited(by="document"), list[CitedSum])
    assert_type(await chats.purge(older_than=timedelta(days=90), dry_run=True), int)
    assert_type(await store.erase_user("ada", dry_run=True), ErasureReport)
    assert_type(await store.erase_tenant(confirm="default"), ErasureReport)
    async for line in chats.export(user_id="ada"):
        assert_type(line, str)
    async for line in store.export_user("ada"):
        assert_type(line, str)
    keeper = store.maintenance()
    assert_type(await keeper.close_streams(silent_for=300), int)
    assert_type(await keeper.index_messages(), int)
    assert_type(await keeper.purge_conversations(older_than=3600.0), int)


async def spaces(store: AsyncStore, space_id: UUID) -> None:
    assert_type(await store.spaces.list("docs"), Sequence[EmbeddingSpace])
    assert_type(await store.spaces.get(space_id), EmbeddingSpace)
    assert_type(await store.spaces.begin("docs", "model", 384, metric="l2"), EmbeddingSpace)
    assert_type(await store.spaces.coverage("docs", space=space_id), SpaceCoverage)
    assert_type(await store.spaces.backfill("docs", embed, progress=lambda done, total: None), BackfillReport)
    assert_type(await store.spaces.activate("docs", require_coverage=0.99), EmbeddingSpace)
    assert_type(await store.spaces.rollback("docs", allow_missing=True), EmbeddingSpace)
    assert_type(await store.spaces.reclaim("docs", older_than=timedelta(days=1)), int)
    assert_type(await store.spaces.abandon("docs"), None)
    assert_type(await store.spaces.create_index("docs", method="ivfflat", quantization="binary"), IndexStatus)
    assert_type(await store.spaces.index_status("docs", space=space_id), IndexStatus)
    assert_type(await store.spaces.ensure_index("docs"), IndexStatus | None)
    assert_type(await store.spaces.repair_indexes(), tuple[IndexStatus, ...])
    assert_type(await store.spaces.drop_index("docs"), bool)
    assert_type(await store.spaces.drop_unused_indexes(), int)
    assert_type(await store.spaces.set_effort("docs", None), EmbeddingSpace)
    report = await store.spaces.measure_recall("docs", sample=10)
    assert_type(report, RecallReport)
    assert_type(report.measured, tuple[RecallPoint, ...])


async def logging_in(store: AsyncStore, unit: AsyncUnitOfWork, token: str | None) -> None:
    store.sessions.define(SessionRules("login", idle=1800, absolute=timedelta(hours=8), max_sessions=5))
    store.sessions.on_event(print)
    new = await store.sessions.create("ann", kind="login", data={"a": 1}, ip="::1", agent="A", replaces=token)
    assert_type(new, NewSession)
    assert_type(new.token, str)
    assert_type(await store.sessions.authenticate(token), LoginSession | None)
    assert_type(await store.sessions.rotate(token), NewSession | None)
    assert_type(await store.sessions.get(new.session.id), LoginSession)
    assert_type(await store.sessions.list_user("ann", current=token), list[SessionInfo])
    assert_type(await store.sessions.save_data(new.session, {"a": 2}, version=0), LoginSession)
    assert_type(await unit.sessions.revoke(new.session.id), bool)
    assert_type(await store.sessions.revoke_others(new.token), int)
    assert_type(await store.sessions.revoke_user("ann", kind="login", keep=token), int)
    assert_type(await store.sessions.revoke_organisation("acme"), int)
    assert_type(await store.sessions.change_stamp("ann"), int)
    assert_type(store.maintenance(), AsyncMaintenance)
    assert_type(await store.maintenance().purge_sessions(max_rows=100), int)


async def limiting(store: AsyncStore, address: str) -> None:
    limits = store.rate_limits
    policy = Policy("login", "5/minute; 50/day", algorithm="sliding", failure="open", max_wait=0.25)
    assert_type(policy.limits, tuple[Limit, ...])
    assert_type(limits.define(policy, Policy("tokens", Limit(10_000, timedelta(days=1), burst=500))), None)
    decision = assert_type(await limits.hit("login", (ip_key(address), 7), cost=2), Decision)
    assert_type(decision.retry_after, timedelta | None)
    assert_type(decision.remaining, int | None)
    assert_type(await limits.hit_all([Charge("login", address), Charge(policy, b"key", 3)]), Decision)
    assert_type(await limits.peek(policy, address), Decision)
    assert_type(await limits.acquire("login", address, max_wait=timedelta(seconds=1)), Decision)
    assert_type(await limits.refund("login", address), None)
    reservation = assert_type(await limits.reserve("tokens", "org", 400), Reservation)
    assert_type(await limits.settle(reservation, 120), Reservation)
    assert_type(await limits.reset("login", address), None)
    assert_type(rate_limit_headers(decision), list[tuple[str, str]])
    assert_type(await store.maintenance().purge_rate_limits(max_rows=500), int)
