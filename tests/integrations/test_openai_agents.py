"""OpenAI Agents SDK: sessions over the store, alone and behind the SDK's own runner; both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, function_tool
from agents.memory import Session, SessionSettings
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from ragstore import AsyncStore, Message, NewMessage, Store
from ragstore.conversations.parts import Attachment, ReasoningPart, TextPart, ToolCall, ToolResult
from ragstore.errors import Conflict, CorruptRow, InvalidInput, UsageError
from ragstore.integrations.openai_agents import RagstoreSession

pytestmark = pytest.mark.anyio

Item = dict[str, Any]

TEXT = {"type": "output_text", "text": "So.", "annotations": [{"type": "url_citation", "url": "u", "start_index": 0}]}
CALL = {"type": "function_call", "call_id": "c-1", "name": "search", "arguments": '{"q": "rain"}'}
OUTPUT = {"type": "function_call_output", "call_id": "c-1", "output": "yes"}
IMAGE = {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"}

ITEMS: dict[str, Item] = {
    "a user's": {"role": "user", "content": "Where is it?"},
    "a user's, empty": {"role": "user", "content": ""},
    "a user's with a type": {"type": "message", "role": "user", "content": "Hi"},
    "a user's in blocks": {"role": "user", "content": [{"type": "input_text", "text": "See"}, IMAGE]},
    "a user's of two texts": {
        "role": "user",
        "content": [IMAGE, {"type": "input_text", "text": ""}, {"type": "input_text", "text": "b", "x": None}],
    },
    "a user's of an image alone": {"role": "user", "content": [IMAGE]},
    "a user's of no block": {"role": "user", "content": []},
    "a system's": {"role": "system", "content": "Be kind."},
    "a developer's": {"role": "developer", "content": "Be brief."},
    "an answer": {"role": "assistant", "content": "So."},
    "an answer in full": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [TEXT, {"type": "refusal", "refusal": "No."}],
    },
    "a call": CALL,
    "a call in full": {**CALL, "id": "fc_1", "status": "completed"},
    "a call of odd arguments": {**CALL, "arguments": {"q": "rain"}},
    "a call without arguments": {"type": "function_call", "call_id": "c-1", "name": "search"},
    "an output": OUTPUT,
    "an output in full": {**OUTPUT, "id": "fco_1", "status": "completed"},
    "an output in blocks": {**OUTPUT, "output": [{"type": "input_text", "text": "yes"}, IMAGE]},
    "an output of nothing": {**OUTPUT, "output": None},
    "reasoning": {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm."}, {"type": "summary_text", "text": "Ah."}],
        "encrypted_content": "Z0FBQUFB",
    },
    "reasoning without a summary": {"id": "rs_2", "type": "reasoning", "summary": []},
    "reasoning with content": {
        "type": "reasoning",
        "content": [{"type": "reasoning_text", "text": "Hm."}],
        "summary": [],
    },
    "a search by the provider": {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"query": "q"},
    },
    "a computer's call": {"type": "computer_call", "call_id": "c-2", "id": "cu_1", "action": {"type": "click", "x": 1}},
    "a computer's output": {
        "type": "computer_call_output",
        "call_id": "c-2",
        "output": {"type": "computer_screenshot"},
    },
    "a custom tool's call": {"type": "custom_tool_call", "call_id": "c-3", "name": "shell", "input": "ls"},
    "a custom tool's output": {"type": "custom_tool_call_output", "call_id": "c-3", "output": "a.txt"},
    "a reference": {"type": "item_reference", "id": "msg_0"},
    "a compaction": {"type": "compaction", "encrypted_content": "Z0"},
    "of a type to come": {"type": "telepathy", "call_id": 7, "deep": [{"ä": [None, True, 1.5, -3]}], "content": "?"},
    "of no type": {"role": "user"},
    "of a role to come": {"role": "oracle", "content": "42", "name": "Pythia"},
    "of content that is null": {"role": "assistant", "content": None},
    "of nothing": {},
    "named as our own": {"type": "openai_agents", "item": {}, "taken": ["content"]},
    "text that is hard to keep": {
        "role": "user",
        "content": "'; DROP TABLE rag_message; -- \\ \" ä 日本語 🎉 \u2028\t\n",
    },
}


@pytest.fixture
def session(async_store: AsyncStore) -> RagstoreSession:
    return RagstoreSession(async_store, "t-1")


async def stored(store: AsyncStore, thread: str = "t-1") -> list[Message]:
    return await store.conversations.history(thread, limit=1000)


def said(*texts: str) -> list[Any]:
    return [{"role": "user", "content": text} for text in texts]


async def texts(session: RagstoreSession, limit: int | None = None) -> list[Any]:
    return [item.get("content") for item in await session.get_items(limit)]  # type: ignore[union-attr]


# ----------------------------------------------------------------------------------------------------- items


async def test_every_item_comes_back_equal(session: RagstoreSession) -> None:
    """C-8: all types of items, known or not, in the order in which they were added."""
    assert isinstance(session, Session)
    items: list[Any] = list(ITEMS.values())
    before = json.dumps(items)
    await session.add_items(items)
    assert await session.get_items() == items
    assert json.dumps(items) == before


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
async def test_each_item_alone(item: Any, sqlite_database: str) -> None:
    """No item borrows anything from another one; and it is popped as it was added."""
    async with AsyncStore.open(sqlite_database) as store:
        session = RagstoreSession(store, "t")
        await session.add_items([item])
        assert await session.get_items() == [item]
        assert await session.pop_item() == item
        assert await session.get_items() == []


async def test_plain_items_are_as_the_host_writes_them(session: RagstoreSession, async_store: AsyncStore) -> None:
    """So that a host that reads `content` and typed parts needs to know nothing of the SDK."""
    items = ["a system's", "a user's", "a call", "an output", "an answer"]
    await session.add_items([ITEMS[name] for name in items])  # type: ignore[misc]
    messages = await stored(async_store)
    assert [m.role for m in messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert [m.content for m in messages] == ["Be kind.", "Where is it?", "", "", "So."]
    call = ToolCall(id="c-1", name="search", arguments='{"q": "rain"}')
    assert [m.parts for m in messages] == [None, None, (call,), (ToolResult(call_id="c-1", content="yes"),), None]


async def test_text_is_content_and_calls_are_parts(session: RagstoreSession, async_store: AsyncStore) -> None:
    names = ["an answer in full", "a user's of two texts", "a computer's call", "a computer's output", "reasoning"]
    await session.add_items([ITEMS[name] for name in names])  # type: ignore[misc]
    answer, question, call, output, reasoning = await stored(async_store)
    assert (answer.content, question.content) == ("So.", "")
    assert TextPart(text="b") in (question.parts or ())
    assert ToolCall(id="c-2", name="computer") in (call.parts or ())
    assert ToolResult(call_id="c-2", content={"type": "computer_screenshot"}) in (output.parts or ())
    assert output.role == "tool"
    assert (reasoning.parts or ())[:2] == (ReasoningPart(text="Hm."), ReasoningPart(text="Ah."))


async def test_windows_keep_calls_with_their_outputs(session: RagstoreSession, async_store: AsyncStore) -> None:
    """C-5: a context window knows the SDK's calls and outputs."""
    await session.add_items([*said("a"), ITEMS["a call in full"], OUTPUT, ITEMS["an answer"]])  # type: ignore[list-item]
    window = await async_store.conversations.context("t-1", tokens=2, count_tokens=lambda _: 1)
    assert [message.content for message in window] == ["So."]
    assert len(await async_store.conversations.context("t-1", tokens=3, count_tokens=lambda _: 1)) == 3


async def test_what_cannot_be_stored(session: RagstoreSession) -> None:
    """A batch is stored as a whole or not at all."""
    for unfit in ("text", {"role": "user", "content": "\0"}, {"type": "x", "value": object()}):
        with pytest.raises(InvalidInput, match="item 1"):
            await session.add_items([*said("a"), unfit])  # type: ignore[list-item]
    assert await session.get_items() == []


# -------------------------------------------------------------------------------------------------- sessions


async def test_the_latest_in_order_of_time(session: RagstoreSession) -> None:
    """`limit` gives the latest; without one the settings' is used, and without that all are given."""
    many = [str(number) for number in range(1234)]
    await session.add_items(said(*many))
    assert await texts(session) == many
    for limit in (0, 1, 3, 1000, 1001, 5000):
        assert await texts(session, limit) == many[max(0, 1234 - limit) :]
    assert await texts(session, 2) == ["1232", "1233"]
    session.session_settings = SessionSettings(limit=3)
    assert await texts(session) == ["1231", "1232", "1233"]
    assert await texts(session, 1) == ["1233"]
    session.session_settings = None
    assert len(await texts(session)) == 1234
    with pytest.raises(InvalidInput, match="limit"):
        await session.get_items(-1)


async def test_settings_are_given_when_it_is_made(async_store: AsyncStore) -> None:
    assert RagstoreSession(async_store, "t").session_settings == SessionSettings()
    session = RagstoreSession(async_store, "t", session_settings=SessionSettings(limit=1))
    await session.add_items(said("a", "b"))
    assert await texts(session) == ["b"]


async def test_pop_until_nothing_is_left(session: RagstoreSession) -> None:
    assert await session.pop_item() is None
    await session.add_items(said("a", "b"))
    await session.add_items([])
    assert await session.pop_item() == said("b")[0]
    await session.add_items(said("c"))
    assert await texts(session) == ["a", "c"]
    assert [await session.pop_item() for _ in range(3)] == [*said("c", "a"), None]


async def test_clear_deletes_this_session_alone(session: RagstoreSession, async_store: AsyncStore) -> None:
    other = RagstoreSession(async_store, "t-2")
    await session.clear_session()
    for one in (session, other):
        await one.add_items(said("a"))
    await session.clear_session()
    assert await session.get_items() == []
    assert await texts(other) == ["a"]
    await session.add_items(said("b"))
    assert await texts(session) == ["b"]


async def test_another_process_sees_the_same(database_url: str) -> None:
    """What is stored is in the database, not in the object."""
    for number in range(3):
        async with AsyncStore.open(database_url) as store:
            session = RagstoreSession(store, "t")
            assert await texts(session) == [str(before) for before in range(number)]
            await session.add_items(said(str(number)))


async def test_whose_it_is(async_store: AsyncStore) -> None:
    """A thread becomes its user's, and nobody else's session reads it, adds to it, pops from it or clears it."""
    mine = RagstoreSession(async_store, "t", user_id="ann")
    await mine.add_items(said("a"))
    assert (await async_store.conversations.get("t")).user_id == "ann"
    strange = RagstoreSession(async_store, "t", user_id="bob")
    calls = (strange.get_items, lambda: strange.add_items(said("b")), strange.pop_item, strange.clear_session)
    for call in calls:
        with pytest.raises(Conflict, match="user_id"):
            await call()
    assert await texts(mine) == ["a"]


async def test_tenants_are_apart(async_store: AsyncStore) -> None:
    await RagstoreSession(async_store.for_tenant("a"), "t").add_items(said("a"))
    assert await RagstoreSession(async_store.for_tenant("b"), "t").get_items() == []


def test_a_plain_store_is_refused(sqlite_database: str) -> None:
    with Store.open(sqlite_database) as store, pytest.raises(UsageError, match="pass an AsyncStore"):
        RagstoreSession(store, "t")  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["thread_id", "user_id"])
async def test_unfit_names(field: str, async_store: AsyncStore) -> None:
    names = {"session_id": "t", "user_id": "u"} | {"session_id" if field == "thread_id" else field: " "}
    with pytest.raises(InvalidInput) as refused:
        RagstoreSession(async_store, **names)
    assert refused.value.field == field


async def test_the_current_branch_is_followed(session: RagstoreSession, async_store: AsyncStore) -> None:
    """C-6: an answer that was made again takes the place of the first one."""
    await session.add_items([*said("a"), ITEMS["an answer"]])  # type: ignore[list-item]
    question, _ = await stored(async_store)
    again = NewMessage(role="assistant", content="Again.")
    await async_store.conversations.append("t-1", again, parent_id=question.id)
    await session.add_items(said("b"))
    assert await texts(session) == ["a", "Again.", "b"]
    assert await texts(session, 2) == ["Again.", "b"]


async def test_what_the_host_has_written_itself(session: RagstoreSession, async_store: AsyncStore) -> None:
    """A thread may have messages that no agent has made; one of several items is popped as a whole."""
    await async_store.conversations.record_exchange(thread_id="t-1", query="How?", response="So.")
    picture = Attachment(uri="https://example.org/a.png", media_type="image/png")
    file = Attachment(uri="https://example.org/a.pdf")
    call = ToolCall(id="c-1", name="search", arguments={"q": "ä"})
    await async_store.conversations.append(
        "t-1",
        [
            NewMessage(role="user", content="See", parts=[picture, TextPart(text="this"), file, {"type": "other"}]),
            NewMessage(role="assistant", content="I look.", parts=[call]),
            NewMessage(role="tool", parts=[ToolResult(call_id="c-1", content=[1])]),
        ],
    )
    see = [{"type": "input_text", "text": "See"}, {"type": "input_text", "text": "this"}]
    expected: list[Any] = [
        {"role": "user", "content": "How?"},
        {"role": "assistant", "content": "So."},
        {"role": "user", "content": [*see, IMAGE, {"type": "input_file", "file_url": file.uri}]},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "c-1", "name": "search", "arguments": '{"q": "ä"}'},
        {"type": "function_call_output", "call_id": "c-1", "output": "[1]"},
    ]
    assert await session.get_items() == expected
    assert await session.get_items(3) == expected[3:]
    assert [await session.pop_item() for _ in range(2)] == [expected[5], expected[4]]
    assert await session.get_items() == expected[:3]


async def test_popping_brings_no_other_branch_back(session: RagstoreSession, async_store: AsyncStore) -> None:
    """C-6: what is left is what was shown without the last item, until nothing is; the other branch can be chosen."""
    chats = async_store.conversations
    await session.add_items(said("u1", "a1"))
    first, answer = await stored(async_store)
    await chats.append("t-1", [NewMessage(role="user", content=text) for text in ("u2", "a2")], parent_id=None)
    for left in (["u2"], [], []):
        await session.pop_item()
        assert await texts(session) == left
    await session.add_items(said("u3"))
    assert await texts(session) == ["u3"]
    await chats.choose_branch(first.id)
    assert await texts(session) == ["u1", "a1"]
    assert [message.id for message in await stored(async_store)] == [first.id, answer.id]


async def test_popping_keeps_what_another_branch_goes_through(
    session: RagstoreSession, async_store: AsyncStore
) -> None:
    """C-6: the other branch stays whole, and what is added then begins anew beside it."""
    chats = async_store.conversations
    await session.add_items(said("question", "first answer"))
    question, first = await stored(async_store)
    await chats.append("t-1", NewMessage(role="user", content="second answer"), parent_id=question.id)
    assert [await session.pop_item() for _ in range(3)] == [*said("second answer", "question"), None]
    await session.add_items(said("again"))
    assert await texts(session) == ["again"]
    await chats.choose_branch(first.id)
    assert await texts(session) == ["question", "first answer"]
    assert [hit.message.content for hit in await chats.search("question")] == ["question"]


async def test_a_message_without_items_hides_no_item(session: RagstoreSession, async_store: AsyncStore) -> None:
    """The last item that is shown is popped; and where none is shown, nothing is taken away."""
    thought = NewMessage(role="assistant", parts=[ReasoningPart(text="Hm.")])
    await async_store.conversations.append("t-1", thought)
    assert await session.pop_item() is None
    assert len(await stored(async_store)) == 1
    await session.add_items(said("a"))
    await async_store.conversations.append("t-1", [thought, thought])
    assert await session.pop_item() == said("a")[0]
    assert await session.pop_item() is None
    assert len(await stored(async_store)) == 1


@pytest.mark.parametrize("more", [{}, {"item": {}}, {"item": 7, "taken": []}])
async def test_a_part_that_is_only_named_as_ours(
    session: RagstoreSession, async_store: AsyncStore, more: dict[str, Any]
) -> None:
    """It is the host's, and is left out as any part that the SDK has no form for."""
    part = {"type": "openai_agents", **more}
    await async_store.conversations.append("t-1", NewMessage(role="user", content="Hi", parts=[part]))
    assert await session.get_items() == said("Hi")


async def test_an_item_that_cannot_be_put_together_is_named(session: RagstoreSession, async_store: AsyncStore) -> None:
    """C-15: the error names the message, which is not popped either."""
    part = {"type": "openai_agents", "item": {}, "taken": ["call_id"]}
    (message,) = await async_store.conversations.append("t-1", NewMessage(role="user", content="Hi", parts=[part]))
    for call in (session.get_items, session.pop_item):
        with pytest.raises(CorruptRow) as raised:
            await call()
        assert (raised.value.table, raised.value.id) == ("rag_message", message.id)
    assert len(await stored(async_store)) == 1


# ---------------------------------------------------------------------------------------------- many at once


async def test_batches_added_at_once_stay_together(async_store: AsyncStore) -> None:
    """C-1: eight writers add batches of three; none is parted, none is lost, and each writer's own are in order."""

    async def add(number: int) -> None:
        session = RagstoreSession(async_store, "t")
        for turn in range(5):
            await session.add_items(said(*(f"{number} {turn} {place}" for place in range(3))))

    await asyncio.gather(*(add(number) for number in range(8)))
    found = [text.split() for text in await texts(RagstoreSession(async_store, "t"))]
    assert len(found) == 120
    batches = [found[start : start + 3] for start in range(0, 120, 3)]
    assert all([place for _, _, place in batch] == ["0", "1", "2"] for batch in batches)
    assert all(len({(number, turn) for number, turn, _ in batch}) == 1 for batch in batches)
    for number in range(8):
        assert [batch[0][1] for batch in batches if batch[0][0] == str(number)] == list("01234")


async def test_no_item_is_popped_twice(async_store: AsyncStore) -> None:
    """Eight sessions pop at once: every item is given once."""
    many = [str(number) for number in range(24)]
    await RagstoreSession(async_store, "t").add_items(said(*many))

    async def pop() -> list[Any]:
        session = RagstoreSession(async_store, "t")
        return [await session.pop_item() for _ in range(4)]

    popped = [item for items in await asyncio.gather(*(pop() for _ in range(8))) for item in items]
    assert sorted(item["content"] for item in popped if item is not None) == sorted(many)
    assert popped.count(None) == 8


async def test_pops_and_adds_at_once_lose_nothing(async_store: AsyncStore) -> None:
    """What is added while another pops is either popped by itself or still there."""

    async def add(number: int) -> None:
        for turn in range(10):
            await RagstoreSession(async_store, "t").add_items(said(f"{number}.{turn}"))

    async def pop() -> list[Any]:
        session = RagstoreSession(async_store, "t")
        return [item["content"] for _ in range(10) if (item := await session.pop_item()) is not None]  # type: ignore[typeddict-item]

    added = [f"{number}.{turn}" for number in range(3) for turn in range(10)]
    done = await asyncio.gather(*(add(number) for number in range(3)), pop(), pop())
    popped = [text for texts_of_one in done[3:] for text in texts_of_one or []]
    assert sorted([*popped, *await texts(RagstoreSession(async_store, "t"))]) == sorted(added)


# ------------------------------------------------------------------------------------------------- the runner


class Scripted(Model):
    """A model that gives outputs one after the other, and remembers what it was asked."""

    def __init__(self, *outputs: list[Any]) -> None:
        self.outputs = list(outputs)
        self.asked: list[Any] = []

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any) -> ModelResponse:  # noqa: A002
        self.asked.append(input)
        return ModelResponse(output=self.outputs.pop(0), usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def answer(text: str) -> ResponseOutputMessage:
    content = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(id="msg", content=[content], role="assistant", status="completed", type="message")


@function_tool
def weather(city: str) -> str:
    """Say how the weather is."""
    return f"rain in {city}"


async def test_an_agent_remembers(async_store: AsyncStore) -> None:
    """The SDK's own runner: the second run is asked with all of the first one, its call of a tool too."""
    call = ResponseFunctionToolCall(call_id="c-1", name="weather", arguments='{"city": "Ulm"}', type="function_call")
    model = Scripted([call], [answer("It rains.")], [answer("You're welcome.")])
    agent = Agent("Bot", model=model, tools=[weather])
    quiet = RunConfig(tracing_disabled=True)
    first = await Runner.run(
        agent, "Weather?", session=RagstoreSession(async_store, "t", user_id="ann"), run_config=quiet
    )
    again = await Runner.run(
        agent, "Thanks", session=RagstoreSession(async_store, "t", user_id="ann"), run_config=quiet
    )
    assert (first.final_output, again.final_output) == ("It rains.", "You're welcome.")
    types = [item.get("type", item.get("role")) for item in model.asked[2]]
    assert types == ["user", "function_call", "function_call_output", "message", "user"]
    assert model.asked[2][:4] == first.to_input_list()
    assert await RagstoreSession(async_store, "t").get_items() == again.to_input_list()
    contents = [(message.role, message.content) for message in await stored(async_store, "t")]
    assert contents[0] == ("user", "Weather?")
    assert contents[3:] == [("assistant", "It rains."), ("user", "Thanks"), ("assistant", "You're welcome.")]


async def test_an_agent_is_given_the_latest_alone(async_store: AsyncStore) -> None:
    model = Scripted([answer("a")], [answer("b")])
    session = RagstoreSession(async_store, "t", session_settings=SessionSettings(limit=1))
    quiet = RunConfig(tracing_disabled=True)
    for question in ("A?", "B?"):
        await Runner.run(Agent("Bot", model=model), question, session=session, run_config=quiet)
    assert len(model.asked[1]) == 2
