"""LangChain: its chat message history over the store, alone and behind a runnable; both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("langchain_core")

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    ToolMessageChunk,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable
from langchain_core.runnables.history import RunnableWithMessageHistory

from ragstore import AsyncStore, Message, NewMessage, Store
from ragstore.conversations.parts import Attachment, TextPart, ToolCall, ToolResult
from ragstore.errors import Conflict, CorruptRow, InvalidInput, UsageError
from ragstore.integrations.langchain import RagstoreChatMessageHistory
from tests.conformance.support import together

pytestmark = pytest.mark.anyio

CALL = {
    "name": "search",
    "args": {"query": "rain", "deep": {"k": [1, 2.5, None, True]}},
    "id": "call-1",
    "type": "tool_call",
}
USAGE = UsageMetadata(
    input_tokens=350,
    output_tokens=240,
    total_tokens=590,
    input_token_details=InputTokenDetails(audio=10, cache_creation=200, cache_read=100),
    output_token_details=OutputTokenDetails(audio=10, reasoning=200),
)
IMAGE = {"type": "image", "url": "https://example.org/a.png", "mime_type": "image/png"}

MESSAGES: dict[str, BaseMessage] = {
    "a human's": HumanMessage("Where is it?"),
    "a human's, empty": HumanMessage(""),
    "a human's with all": HumanMessage("Hi", name="Ann", id="h-1", additional_kwargs={"k": [{"a": None}]}),
    "a human's with a field of its own": HumanMessage("Hi", colour="red", nothing=None, none=[]),
    "a human's with an image": HumanMessage([{"type": "text", "text": "What is it?"}, IMAGE, "and this?", IMAGE]),
    "a human's with a cache mark": HumanMessage(
        [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
    ),
    "a human's of an image alone": HumanMessage([IMAGE]),
    "a human's of no block": HumanMessage([]),
    "a human's of texts": HumanMessage(["a", "", "b"]),
    "a human's of odd blocks": HumanMessage(
        [{"type": "text"}, {"type": "text", "text": 3}, {"no": "type"}, {"block": 1}]
    ),
    "a human's, marked": HumanMessage("x", additional_kwargs={"lc_source": "async_subagent", "lc_data": {"id": 1}}),
    "a system's": SystemMessage("Be kind."),
    "a system's in blocks": SystemMessage([{"type": "text", "text": "Be kind."}], id="s"),
    "an answer": AIMessage("Here."),
    "an answer, empty": AIMessage(""),
    "an answer with calls": AIMessage("I look.", tool_calls=[CALL, {**CALL, "id": "call-2", "args": {}}]),
    "an answer of calls alone": AIMessage("", tool_calls=[CALL]),
    "an answer with a call without an id": AIMessage("", tool_calls=[CALL, {**CALL, "id": None}]),
    "an answer with a broken call": AIMessage(
        "", invalid_tool_calls=[{"name": "f", "args": "{", "id": "c", "error": "no JSON", "type": "invalid_tool_call"}]
    ),
    "an answer with all": AIMessage(
        "So.",
        id="run-1",
        name="bot",
        usage_metadata=USAGE,
        response_metadata={"model_name": "m-2026-01", "logprobs": [-0.5], "finish_reason": "stop", "nested": {"a": {}}},
        additional_kwargs={"refusal": None, "function_call": {"name": "f", "arguments": "{}"}},
        tool_calls=[CALL],
    ),
    "an answer in a provider's blocks": AIMessage(
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "text", "text": "So.", "citations": [{"url": "u"}]},
            {"type": "tool_use", "id": "call-1", "name": "search", "input": CALL["args"]},
            {"type": "text", "text": "Wait."},
        ],
        tool_calls=[CALL],
    ),
    "an answer in blocks that are named as our parts are": AIMessage(
        [
            {"type": "reasoning", "reasoning": "Hm."},
            {"type": "attachment", "odd": 1},
            {"type": "citation"},
            {"type": "tool_call", "id": "call-1", "name": "search", "args": {}},
            {"type": "langchain", "data": 1},
        ],
        tool_calls=[CALL],
    ),
    "an answer by content blocks": AIMessage(content_blocks=[{"type": "text", "text": "So."}, IMAGE]),  # type: ignore[list-item]
    "a piece of an answer": AIMessageChunk(
        "So",
        id="run-1",
        tool_call_chunks=[{"name": "f", "args": '{"a"', "id": "c", "index": 0, "type": "tool_call_chunk"}],
    ),
    "a whole piece of an answer": AIMessageChunk("So", usage_metadata=USAGE, chunk_position="last"),
    "a human's piece": HumanMessageChunk("Hi"),
    "a tool's": ToolMessage("42", tool_call_id="call-1"),
    "a tool's, failed": ToolMessage("no", tool_call_id="call-1", status="error", name="search", id="t"),
    "a tool's with an artifact": ToolMessage("42", tool_call_id="call-1", artifact={"rows": [[1, None]], "ok": True}),
    "a tool's in blocks": ToolMessage([{"type": "text", "text": "42"}, IMAGE, "x"], tool_call_id="call-1"),
    "a tool's piece": ToolMessageChunk("4", tool_call_id="call-1"),
    "a function's": FunctionMessage(name="search", content="42"),
    "a pirate's": ChatMessage("Arr.", role="pirate"),
    "a developer's": ChatMessage("Be brief.", role="developer"),
    "a tool's, as chat": ChatMessage("42", role="tool"),
    "a pirate's piece": ChatMessageChunk("Ar", role="pirate"),
    "a removal": RemoveMessage(id="h-1"),
}
NAMED = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)


def same(given: Sequence[BaseMessage], expected: Sequence[BaseMessage]) -> None:
    """See that messages are equal, in their classes and in what they dump as well."""
    assert list(given) == list(expected)
    assert [type(message) for message in given] == [type(message) for message in expected]
    assert [message.model_dump() for message in given] == [message.model_dump() for message in expected]


@pytest.fixture
def history(store: Store) -> RagstoreChatMessageHistory:
    return RagstoreChatMessageHistory(store, "t-1")


@pytest.fixture
def awaited(async_store: AsyncStore) -> RagstoreChatMessageHistory:
    return RagstoreChatMessageHistory(async_store, "t-1")


def stored(store: Store, thread: str = "t-1") -> list[Message]:
    return store.conversations.history(thread, limit=1000)


# -------------------------------------------------------------------------------------------------- messages


def test_every_message_comes_back_equal(history: RagstoreChatMessageHistory) -> None:
    """C-8: all kinds of messages, in the order in which they were added."""
    assert isinstance(history, BaseChatMessageHistory)
    history.add_messages(list(MESSAGES.values()))
    same(history.messages, list(MESSAGES.values()))


async def test_every_message_comes_back_equal_to_who_waits(awaited: RagstoreChatMessageHistory) -> None:
    await awaited.aadd_messages(list(MESSAGES.values()))
    same(await awaited.aget_messages(), list(MESSAGES.values()))


@NAMED
def test_each_message_alone(message: BaseMessage, sqlite_database: str) -> None:
    """No message borrows anything from another one, and none is changed by being added."""
    before = message.model_copy(deep=True)
    with Store.open(sqlite_database) as store:
        history = RagstoreChatMessageHistory(store, "t")
        history.add_message(message)
        same(history.messages, [before])
    same([message], [before])


def test_plain_messages_are_as_the_host_writes_them(history: RagstoreChatMessageHistory, store: Store) -> None:
    """So that a host that reads `content` and typed parts needs to know nothing of LangChain."""
    asked, told = HumanMessage("Rain?"), ToolMessage("yes", tool_call_id="call-1")
    history.add_messages([SystemMessage("Be kind."), asked, AIMessage("", tool_calls=[CALL]), told, AIMessage("Yes.")])
    messages = stored(store)
    assert [m.role for m in messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert [m.content for m in messages] == ["Be kind.", "Rain?", "", "", "Yes."]
    call = ToolCall(id="call-1", name="search", arguments=CALL["args"])
    assert [m.parts for m in messages] == [None, None, (call,), (ToolResult(call_id="call-1", content="yes"),), None]


def test_text_is_content_and_usage_is_counted(history: RagstoreChatMessageHistory, store: Store) -> None:
    """C-10: the first text is `content`, the others are text parts; usage and model have their columns."""
    history.add_messages([MESSAGES["an answer with all"], MESSAGES["an answer in a provider's blocks"]])
    whole, blocks = stored(store)
    assert whole.content == blocks.content == "So."
    assert [part for part in blocks.parts or () if isinstance(part, TextPart)] == [TextPart(text="Wait.")]
    counted = (whole.input_tokens, whole.output_tokens, whole.cached_tokens, whole.reasoning_tokens)
    assert counted == (350, 240, 100, 200)
    assert whole.resolved_model == "m-2026-01"
    assert (blocks.input_tokens, blocks.resolved_model) == (None, None)


def test_windows_keep_calls_with_their_results(history: RagstoreChatMessageHistory, store: Store) -> None:
    """C-5: a context window knows LangChain's calls and results."""
    history.add_messages([HumanMessage("a"), AIMessage("", tool_calls=[CALL], id="x")])
    history.add_messages([ToolMessage("1", tool_call_id="call-1", id="y"), AIMessage("b"), HumanMessage("c")])
    counted = {"count_tokens": lambda _: 1}
    assert [m.role for m in store.conversations.context("t-1", tokens=2, **counted)] == ["assistant", "user"]
    assert [m.role for m in store.conversations.context("t-1", tokens=3, **counted)] == ["assistant", "user"]
    assert len(store.conversations.context("t-1", tokens=4, **counted)) == 4


def test_values_that_json_has_no_form_for(history: RagstoreChatMessageHistory) -> None:
    """What pydantic can write is stored as it writes it; the rest is refused, and nothing of the batch is stored."""
    when, name = datetime(2026, 1, 2, tzinfo=UTC), UUID(int=7)
    values = {"when": when, "name": name, "both": (1, 2), "logprob": float("-inf")}
    history.add_message(HumanMessage("x", additional_kwargs=values))
    (message,) = history.messages
    expected = {"when": "2026-01-02T00:00:00Z", "name": str(name), "both": [1, 2], "logprob": None}
    assert message.additional_kwargs == expected
    with pytest.raises(InvalidInput, match="item 1: messages: JSON has no form for a value of this ToolMessage"):
        history.add_messages([HumanMessage("y"), ToolMessage("z", tool_call_id="c", artifact=object())])
    assert len(history.messages) == 1


class Custom(BaseMessage):
    type: str = "custom"


class ToolLike(BaseMessage):
    type: str = "tool"


class Coloured(HumanMessage):
    colour: str = "red"


@pytest.mark.parametrize("unfit", [Custom("x"), ToolLike("x"), "x"], ids=["unknown type", "other shape", "text"])
def test_what_does_not_come_back_is_refused(history: RagstoreChatMessageHistory, unfit: Any) -> None:
    """C-8: a message that LangChain cannot read would hide its whole thread."""
    with pytest.raises(InvalidInput) as refused:
        history.add_messages([HumanMessage("a"), unfit])
    assert (refused.value.field, refused.value.index) == ("messages", 1)
    assert history.messages == []


def test_a_class_of_ones_own_comes_back_as_the_one_of_its_type(history: RagstoreChatMessageHistory) -> None:
    history.add_message(Coloured("Hi", colour="blue"))
    same(history.messages, [HumanMessage("Hi", colour="blue")])


@pytest.mark.parametrize(
    "part", [{"type": "langchain"}, {"type": "langchain", "kind": 7, "data": {}}, {"type": "langchain", "kind": "ai"}]
)
def test_a_part_that_is_only_named_as_ours(history: RagstoreChatMessageHistory, store: Store, part: Any) -> None:
    """It is the host's, and is left out as any part that LangChain has no form for."""
    store.conversations.append("t-1", NewMessage(role="user", content="Hi", parts=[part]))
    same(history.messages, [HumanMessage("Hi")])


@pytest.mark.parametrize(
    "kept", [{"kind": "telepathy", "data": {}}, {"kind": "tool", "data": {}}, {"kind": "ai", "data": {"content": [1]}}]
)
def test_what_langchain_cannot_read_is_named(
    history: RagstoreChatMessageHistory, store: Store, kept: dict[str, Any]
) -> None:
    """C-15: the error names the message."""
    part = {"type": "langchain", **kept}
    (message,) = store.conversations.append("t-1", NewMessage(role="user", content="Hi", parts=[part]))
    with pytest.raises(CorruptRow) as raised:
        _ = history.messages
    assert (raised.value.table, raised.value.id) == ("rag_message", message.id)


# --------------------------------------------------------------------------------------------------- threads


def test_the_methods_for_one_message(history: RagstoreChatMessageHistory) -> None:
    history.add_user_message("Hi")
    history.add_ai_message("Ho")
    history.add_user_message(HumanMessage("Ha", name="Ann"))
    history.add_messages([])
    same(history.messages, [HumanMessage("Hi"), AIMessage("Ho"), HumanMessage("Ha", name="Ann")])
    assert str(history).startswith("Human: Hi\nAI: Ho\n")


def test_clear_deletes_this_thread_alone(history: RagstoreChatMessageHistory, store: Store) -> None:
    other = RagstoreChatMessageHistory(store, "t-2")
    history.clear()
    assert history.messages == []
    for one in (history, other):
        one.add_user_message("Hi")
    history.clear()
    assert history.messages == []
    assert len(other.messages) == 1
    history.add_user_message("Again")
    same(history.messages, [HumanMessage("Again")])


async def test_clear_awaited(awaited: RagstoreChatMessageHistory) -> None:
    await awaited.aadd_messages([HumanMessage("Hi")])
    await awaited.aclear()
    assert await awaited.aget_messages() == []


def test_long_threads_and_the_newest_alone(store: Store) -> None:
    """All messages of a thread of several pages, or the newest so many, in order."""
    many = [HumanMessage(str(number)) for number in range(2345)]
    RagstoreChatMessageHistory(store, "t").add_messages(many)
    same(RagstoreChatMessageHistory(store, "t").messages, many)
    for limit in (0, 1, 1000, 1001, 2345, 3000):
        same(RagstoreChatMessageHistory(store, "t", limit=limit).messages, many[len(many) - min(limit, 2345) :])


async def test_long_threads_awaited(async_store: AsyncStore) -> None:
    many = [HumanMessage(str(number)) for number in range(1500)]
    await RagstoreChatMessageHistory(async_store, "t").aadd_messages(many)
    same(await RagstoreChatMessageHistory(async_store, "t").aget_messages(), many)
    same(await RagstoreChatMessageHistory(async_store, "t", limit=1200).aget_messages(), many[300:])


def test_the_current_branch_is_followed(history: RagstoreChatMessageHistory, store: Store) -> None:
    """C-6: an answer that was made again takes the place of the first one, and is what the next message follows."""
    history.add_messages([HumanMessage("a"), AIMessage("b")])
    question, _ = stored(store)
    store.conversations.append("t-1", NewMessage(role="assistant", content="c"), parent_id=question.id)
    history.add_user_message("d")
    same(history.messages, [HumanMessage("a"), AIMessage("c"), HumanMessage("d")])
    same(RagstoreChatMessageHistory(store, "t-1", limit=2).messages, [AIMessage("c"), HumanMessage("d")])


def test_what_the_host_has_written_itself(history: RagstoreChatMessageHistory, store: Store) -> None:
    """A thread may have messages that no LangChain has made."""
    store.conversations.record_exchange(thread_id="t-1", query="How?", response="So.")
    picture = Attachment(uri="https://example.org/a.png", media_type="image/png")
    calls = [ToolCall(id="1", name="f", arguments='{"a": 1}'), ToolCall(id="2", name="g", arguments="{")]
    results = [ToolResult(call_id="1", content={"ä": 1}), ToolResult(call_id="2", content="no", is_error=True)]
    store.conversations.append(
        "t-1",
        [
            NewMessage(role="user", content="See", parts=[picture, TextPart(text="this"), {"type": "other"}]),
            NewMessage(role="assistant", parts=calls),
            NewMessage(role="tool", parts=results),
            NewMessage(role="system", content="Stop.", parts=[Attachment(uri="file:a")]),
        ],
    )
    invalid = {"name": "g", "args": "{", "id": "2", "error": "the arguments are no JSON object"}
    same(
        history.messages,
        [
            HumanMessage("How?"),
            AIMessage("So."),
            HumanMessage([{"type": "text", "text": "See"}, IMAGE, {"type": "text", "text": "this"}]),
            AIMessage(
                "",
                tool_calls=[{"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}],
                invalid_tool_calls=[{**invalid, "type": "invalid_tool_call"}],
            ),
            ToolMessage('{"ä": 1}', tool_call_id="1"),
            ToolMessage("no", tool_call_id="2", status="error"),
            SystemMessage([{"type": "text", "text": "Stop."}, {"type": "file", "url": "file:a"}]),
        ],
    )


def test_whose_it_is(store: Store) -> None:
    """A thread becomes its user's, and nobody else's history reads it, adds to it or deletes it."""
    RagstoreChatMessageHistory(store, "t", user_id="ann").add_user_message("Hi")
    assert store.conversations.get("t").user_id == "ann"
    assert len(RagstoreChatMessageHistory(store, "t", user_id="ann").messages) == 1
    strange = RagstoreChatMessageHistory(store, "t", user_id="bob")
    for call in (lambda: strange.messages, lambda: strange.add_user_message("Ho"), strange.clear):
        with pytest.raises(Conflict, match="user_id"):
            call()
    assert len(RagstoreChatMessageHistory(store, "t").messages) == 1


async def test_whose_it_is_awaited(async_store: AsyncStore) -> None:
    await RagstoreChatMessageHistory(async_store, "t", user_id="ann").aadd_messages([HumanMessage("Hi")])
    strange = RagstoreChatMessageHistory(async_store, "t", user_id="bob")
    for call in (strange.aget_messages, lambda: strange.aadd_messages([HumanMessage("Ho")]), strange.aclear):
        with pytest.raises(Conflict, match="user_id"):
            await call()
    assert len(await RagstoreChatMessageHistory(async_store, "t", user_id="ann").aget_messages()) == 1


def test_a_refused_batch_makes_no_thread(store: Store) -> None:
    with pytest.raises(InvalidInput, match="item 1"):
        RagstoreChatMessageHistory(store, "t", user_id="ann").add_messages([HumanMessage("a"), HumanMessage("\0")])
    assert store.conversations.find("t") is None


def test_tenants_are_apart(store: Store) -> None:
    RagstoreChatMessageHistory(store.for_tenant("a"), "t").add_user_message("Hi")
    assert RagstoreChatMessageHistory(store.for_tenant("b"), "t").messages == []


async def test_a_store_serves_both_an_async_store_its_own(store: Store, async_store: AsyncStore) -> None:
    """Async forms over a `Store` run in a thread, as the base class has it; the reverse says what to pass."""
    history = RagstoreChatMessageHistory(store, "t")
    await history.aadd_messages([HumanMessage("Hi")])
    same(await history.aget_messages(), [HumanMessage("Hi")])
    await history.aclear()
    assert await history.aget_messages() == []
    awaited = RagstoreChatMessageHistory(async_store, "t")
    for call, name in (
        (lambda: awaited.messages, "aget_messages"),
        (lambda: awaited.add_user_message("Hi"), "aadd_messages"),
        (awaited.clear, "aclear"),
    ):
        with pytest.raises(UsageError, match=f"pass a Store, or use {name}"):
            call()


@pytest.mark.parametrize(
    ("values", "field"), [({"thread_id": ""}, "thread_id"), ({"user_id": ""}, "user_id"), ({"limit": -1}, "limit")]
)
def test_unfit_values(values: dict[str, Any], field: str, sqlite_database: str) -> None:
    with Store.open(sqlite_database) as store:
        with pytest.raises(InvalidInput) as refused:
            RagstoreChatMessageHistory(store, **{"thread_id": "t", **values})
        with pytest.raises(UsageError, match="not str"):
            RagstoreChatMessageHistory(sqlite_database, "t")  # type: ignore[arg-type]
    assert refused.value.field == field


def test_batches_of_many_threads_stay_together(store: Store) -> None:
    """C-1: eight threads add pairs; none is parted and none is lost."""

    def add(number: int) -> None:
        history = RagstoreChatMessageHistory(store, "t", user_id="ann")
        for turn in range(5):
            history.add_messages([HumanMessage(f"{number}.{turn}"), AIMessage(f"{number}.{turn}")])

    together(*(lambda number=number: add(number) for number in range(8)))
    texts = [message.text for message in RagstoreChatMessageHistory(store, "t").messages]
    assert texts[::2] == texts[1::2]
    assert len(set(texts)) == 40
    for number in range(8):
        mine = [text for text in texts[::2] if text.startswith(f"{number}.")]
        assert mine == [f"{number}.{turn}" for turn in range(5)]


# ------------------------------------------------------------------------------------------------- a runnable


class Echo(BaseChatModel):
    """A model that says how many messages it was given, and the last one."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = AIMessage(f"{len(messages)}: {messages[-1].text}", usage_metadata=USAGE)
        return ChatResult(generations=[ChatGeneration(message=answer)])


# LangChain's histories are used by it, though newer versions recommend LangGraph's checkpoints.
DEPRECATED = pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")


def chat(store: Store | AsyncStore) -> Runnable[Any, Any]:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be kind."), MessagesPlaceholder("past"), ("human", "{question}")]
    )
    return RunnableWithMessageHistory(
        prompt | Echo(),
        lambda session_id: RagstoreChatMessageHistory(store, session_id, user_id="ann"),
        input_messages_key="question",
        history_messages_key="past",
    )


def settings(session_id: str) -> Any:
    return {"configurable": {"session_id": session_id}}


@DEPRECATED
def test_a_runnable_with_history(store: Store) -> None:
    runnable = chat(store)
    assert runnable.invoke({"question": "Hi"}, settings("t")).text == "2: Hi"
    assert runnable.invoke({"question": "Ho"}, settings("t")).text == "4: Ho"
    assert runnable.invoke({"question": "Hi"}, settings("other")).text == "2: Hi"
    texts = [message.text for message in RagstoreChatMessageHistory(store, "t").messages]
    assert texts == ["Hi", "2: Hi", "Ho", "4: Ho"]
    assert [m.input_tokens for m in stored(store, "t")] == [None, 350, None, 350]


@DEPRECATED
async def test_a_runnable_with_history_awaited(async_store: AsyncStore) -> None:
    runnable = chat(async_store)
    await asyncio.gather(*(runnable.ainvoke({"question": "Hi"}, settings(f"t-{n}")) for n in range(6)))
    assert (await runnable.ainvoke({"question": "Ho"}, settings("t-3"))).text == "4: Ho"
    texts = [message.text for message in await RagstoreChatMessageHistory(async_store, "t-3").aget_messages()]
    assert texts == ["Hi", "2: Hi", "Ho", "4: Ho"]


@DEPRECATED
def test_a_runnable_over_messages_alone(store: Store) -> None:
    """Without keys the history stands before the input, and only what is new is added."""
    runnable = RunnableWithMessageHistory(Echo(), lambda session_id: RagstoreChatMessageHistory(store, session_id))
    assert runnable.invoke([HumanMessage("Hi")], settings("t")).text == "1: Hi"
    assert runnable.invoke([HumanMessage("Ho")], settings("t")).text == "3: Ho"
    assert [message.text for message in RagstoreChatMessageHistory(store, "t").messages] == [
        "Hi",
        "1: Hi",
        "Ho",
        "3: Ho",
    ]
