"""What of a conversation a model is given, chosen without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.conversations.parts import Attachment, TextPart, ToolCall, ToolResult
from ragstore.conversations.records import Message
from ragstore.conversations.windows.choosing import Limits, choose, is_kept
from ragstore.conversations.windows.estimating import estimate_tokens
from ragstore.conversations.windows.linking import has_links
from ragstore.conversations.windows.preparing import limits
from ragstore.errors import InvalidInput

OPEN = ("pending", "streaming")


def message(role: str, *parts: Any, cost: int = 1, **fields: Any) -> Message:
    values: dict[str, Any] = {
        "id": UUID(int=0),
        "conversation_id": UUID(int=0),
        "seq": 0,
        "parent_id": None,
        "client_id": None,
        "role": role,
        "status": "complete",
        "content": "",
        "parts": parts or None,
        "metadata": {"cost": cost},
        "response_time": None,
        "model": None,
        "resolved_model": None,
        "input_tokens": None,
        "output_tokens": None,
        "cached_tokens": None,
        "reasoning_tokens": None,
        "cost": None,
        "pinned": False,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "updated_at": None,
    }
    return Message(**(values | fields))


def path_of(*messages: Message) -> list[Message]:
    """Number messages as those of one conversation."""
    return [one.model_copy(update={"id": UUID(int=seq), "seq": seq}) for seq, one in enumerate(messages, 1)]


def cost(one: Message) -> int:
    found: int = one.metadata["cost"]  # type: ignore[assignment]
    return found


def chosen(path: Sequence[Message], turns: int | None = None, tokens: int | None = None) -> list[int]:
    """Choose from a whole path; gives the places, counted from 1."""
    found = choose(path[::-1], [], Limits(turns, tokens, cost), complete=True)
    assert found is not None
    return [one.seq for one in found]


CALL, RESULT = ToolCall(id="1"), ToolResult(call_id="1")
USER, ANSWER, SYSTEM = message("user"), message("assistant"), message("system")


# ------------------------------------------------------------------------------------------------- examples


def test_the_oldest_are_dropped_first() -> None:
    path = path_of(USER, ANSWER, USER, ANSWER)
    expected = [[], [4], [2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]]
    assert [chosen(path, tokens=tokens) for tokens in (0, 1, 3, 4, 9)] == expected


def test_a_message_that_does_not_fit_ends_the_window() -> None:
    assert chosen(path_of(ANSWER, message("user", cost=5), ANSWER), tokens=4) == [3]


def test_a_turn_is_a_users_message_and_all_up_to_the_next() -> None:
    path = path_of(ANSWER, USER, ANSWER, ANSWER, USER, USER)
    assert [chosen(path, turns=turns) for turns in range(5)] == [
        [],
        [6],
        [5, 6],
        [2, 3, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
    ]
    assert chosen(path, turns=3, tokens=4) == [3, 4, 5, 6]


def test_what_is_kept_is_counted_first() -> None:
    path = path_of(SYSTEM, USER, message("assistant", pinned=True), USER, ANSWER)
    assert chosen(path, turns=1) == [1, 3, 4, 5]
    assert chosen(path, tokens=3) == [1, 3, 5]
    assert chosen(path, tokens=1) == [1, 3]
    assert chosen(path, tokens=0) == chosen(path, turns=0) == []


def test_a_result_is_never_without_its_call() -> None:
    path = path_of(USER, message("assistant", CALL), message("tool", RESULT), ANSWER)
    assert [chosen(path, tokens=tokens) for tokens in (1, 2, 3)] == [[4], [4], [2, 3, 4]]
    alone = path_of(USER, message("tool", RESULT), message("assistant", CALL), ANSWER)
    assert chosen(alone, tokens=9) == [1, 4]


def test_one_call_without_a_result_takes_its_messages_results_with_it() -> None:
    path = path_of(message("assistant", CALL, ToolCall(id="2")), message("tool", RESULT), ANSWER)
    assert chosen(path, tokens=9) == [3]


def test_a_call_and_its_result_in_one_message() -> None:
    assert chosen(path_of(message("assistant", CALL, RESULT)), tokens=9) == [1]
    assert chosen(path_of(message("assistant", RESULT, CALL)), tokens=9) == []


def test_ids_that_are_used_again_do_not_link_turns() -> None:
    turn = (USER, message("assistant", CALL), message("tool", RESULT), ANSWER)
    assert chosen(path_of(*turn, *turn), tokens=4) == [5, 6, 7, 8]


def test_a_pinned_result_keeps_its_call() -> None:
    path = path_of(USER, message("assistant", CALL), message("tool", RESULT, pinned=True), USER, ANSWER)
    assert chosen(path, tokens=3) == [2, 3, 5]


@pytest.mark.parametrize("status", OPEN)
def test_open_messages_are_left_out_with_what_hangs_on_them(status: str) -> None:
    path = path_of(USER, message("assistant", CALL, status=status), message("tool", RESULT))
    assert chosen(path, tokens=9) == [1]


def test_failed_and_cancelled_messages_are_final() -> None:
    assert chosen(path_of(USER, message("assistant", status="error")), tokens=9) == [1, 2]


@pytest.mark.parametrize("turns", [1, 2])
def test_a_kept_result_asks_for_its_call(turns: int) -> None:
    """Whatever the window's size: the call is above what is known, and would be kept with it."""
    path = path_of(USER, message("assistant", CALL), message("tool", RESULT, pinned=True), USER, ANSWER)
    allowed = Limits(turns, None, cost)
    assert choose(path[2:][::-1], [], allowed, complete=False) is None
    assert choose(path[3:][::-1], [path[2]], allowed, complete=False) is None
    found = choose(path[1:][::-1], [], Limits(1, None, cost), complete=False)
    assert found == path[1:]


def test_a_kept_call_above_asks_for_its_result() -> None:
    path = path_of(message("assistant", CALL, pinned=True), message("tool", RESULT), USER, ANSWER)
    assert choose(path[2:][::-1], [path[0]], Limits(1, None, cost), complete=False) is None
    assert chosen(path, turns=1) == [1, 2, 3, 4]


# ----------------------------------------------------------------------------------------------- properties

LINKS = st.lists(
    st.sampled_from([ToolCall(id="1"), ToolCall(id="2"), ToolResult(call_id="1"), ToolResult(call_id="2")]), max_size=2
)
RARELY = st.sampled_from([False, False, False, True])


@st.composite
def messages(draw: st.DrawFn) -> Message:
    return message(
        draw(st.sampled_from(["user", "assistant", "assistant", "tool", "tool", "system"])),
        *draw(LINKS),
        cost=draw(st.integers(0, 4)),
        pinned=draw(RARELY),
        status="streaming" if draw(RARELY) and draw(RARELY) else "complete",
    )


PATHS = st.lists(messages(), max_size=12).map(lambda found: path_of(*found))
BUDGETS = st.none() | st.integers(0, 25)


def pairs(path: Sequence[Message]) -> Iterator[tuple[int | None, int | None]]:
    """Give each call's place with that of a result; None for what is missing."""
    calls: dict[str, list[int]] = {}
    events = [(one.seq, part) for one in path for part in one.parts or ()]
    for number, (seq, part) in enumerate(events):
        if isinstance(part, ToolCall):
            until_next = [at for at, (_, p) in enumerate(events) if at > number and p == part]
            until = min(until_next, default=len(events))
            results = [at for at, p in events[number:until] if isinstance(p, ToolResult) and p.call_id == part.id]
            yield from ((seq, at) for at in results)
            if not results:
                yield seq, None
            calls.setdefault(part.id, []).append(number)
        elif isinstance(part, ToolResult) and part.call_id not in calls:
            yield None, seq


def closed(places: set[int], links: Sequence[tuple[int | None, int | None]], *, growing: bool) -> set[int]:
    """Add what hangs on these, or take away what hangs on others, until nothing changes."""
    while True:
        split = [(one, other) for one, other in links if (one in places) != (other in places)]
        if not split:
            return places
        ends = {end for pair in split for end in pair if end is not None}
        places = places | ends if growing else places - ends


def by_definition(path: Sequence[Message], turns: int | None, tokens: int | None) -> list[int]:
    """Try each place to cut the path, from the uppermost down, and give the first window within the limits."""
    if 0 in (turns, tokens):
        return []
    final = {one.seq: one for one in path if one.status not in OPEN}
    links = list(pairs(list(final.values())))
    sound = closed(set(final), links, growing=False)
    links = [pair for pair in links if None not in pair]
    kept = closed({seq for seq in sound if is_kept(final[seq])}, links, growing=True)
    window = kept
    for cut in range(len(path) + 2):
        below = {seq for seq in sound if seq >= cut}
        window = kept | closed(below - kept, [pair for pair in links if not kept & set(pair)], growing=False)
        users = sum(final[seq].role == "user" for seq in final if seq >= cut)
        first_is_user = cut in final and final[cut].role == "user"
        within = turns is None or users < turns or (users == turns and first_is_user)
        if within and (tokens is None or sum(cost(final[seq]) for seq in window) <= tokens):
            break
    else:
        window = kept
    return sorted(window)


@given(PATHS, st.none() | st.integers(0, 5), BUDGETS)
def test_a_window_is_what_its_definition_says(path: list[Message], turns: int | None, tokens: int | None) -> None:
    """C-5: kept ones, and the longest end of the path within the limits, without parted calls and results."""
    assert chosen(path, turns, tokens) == by_definition(path, turns, tokens)


@given(PATHS, st.none() | st.integers(0, 5), BUDGETS)
def test_invariants(path: list[Message], turns: int | None, tokens: int | None) -> None:
    """C-5: no open message, no parted pair, and no more than the budget unless what is kept takes more."""
    window = set(chosen(path, turns, tokens))
    by_seq = {one.seq: one for one in path}
    assert all(by_seq[seq].status not in OPEN for seq in window)
    final = [one for one in path if one.status not in OPEN]
    assert all((call in window) == (result in window) for call, result in pairs(final))
    if tokens is not None and window:
        always = set(chosen(path, tokens=1 if tokens else 0)) if tokens else set()
        spent = sum(cost(by_seq[seq]) for seq in window)
        assert spent <= tokens or window <= always


@given(PATHS, st.none() | st.integers(0, 5), BUDGETS, st.integers(0, 5), st.integers(0, 10))
def test_a_larger_budget_never_takes_a_message_away(
    path: list[Message], turns: int | None, tokens: int | None, more_turns: int, more_tokens: int
) -> None:
    larger = None if turns is None else turns + more_turns, None if tokens is None else tokens + more_tokens
    assert set(chosen(path, turns, tokens)) <= set(chosen(path, *larger))


@given(PATHS, st.none() | st.integers(0, 5), BUDGETS, st.integers(0, 12))
def test_a_part_of_the_path_gives_the_same_window_or_asks_for_more(
    path: list[Message], turns: int | None, tokens: int | None, known: int
) -> None:
    cut = max(0, len(path) - known)
    above = [one for one in path[:cut] if is_kept(one)]
    found = choose(path[cut:][::-1], above, Limits(turns, tokens, cost), complete=cut == 0)
    assert found is None or [one.seq for one in found] == chosen(path, turns, tokens)
    assert found is not None or cut > 0


@given(PATHS, st.integers(1, 3), st.integers(0, 12))
def test_as_many_turns_as_asked_for_are_enough(path: list[Message], turns: int, known: int) -> None:
    """Without kept calls above, messages above the window change nothing, and are not asked for."""
    cut = max(0, len(path) - known)
    final = [one for one in path[cut:] if one.status not in OPEN]
    kept = [one for one in path if is_kept(one)]
    if sum(one.role == "user" for one in final) >= turns and not any(map(has_links, kept)):
        above = [one for one in kept if one.seq <= cut]
        assert choose(path[cut:][::-1], above, Limits(turns, None, cost), complete=False) is not None


# ------------------------------------------------------------------------------------------------- counting


def test_the_estimate() -> None:
    """About four characters a token, CJK one; parts by the JSON they are."""
    contents = {"": 0, "a": 1, "abcd": 1, "abcde": 2, "中文": 2, "日本語です": 5, "한국어": 3, "中文ab": 3}
    assert {text: estimate_tokens(message("user", content=text)) for text in contents} == contents
    part = TextPart(text="abcd")  # {"type":"text","text":"abcd"} has 29 characters
    assert estimate_tokens(message("user", part)) == 8
    assert estimate_tokens(message("user", part, {"own": [1]}, content="abcdefg")) == 12
    assert estimate_tokens(message("user", Attachment(uri="u" * 400))) > 100


def test_each_message_is_counted_once() -> None:
    asked: list[int] = []

    def count(one: Message) -> int:
        asked.append(one.seq)
        return 1

    path = path_of(SYSTEM, USER, ANSWER)
    allowed = limits(None, 9, count)
    for known in (1, 2, 3):
        choose(path[::-1][:known], [], allowed, complete=known == 3)
    assert sorted(asked) == [1, 2, 3]
    choose(path, [], limits(2, None, count), complete=True)
    assert len(asked) == 3  # without a budget nobody has to count


@pytest.mark.parametrize("wrong", [-1, 1.5, None, "1", True])
def test_a_counter_that_gives_no_number(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="count_tokens: gave"):
        limits(None, 9, lambda _: wrong).cost(path_of(USER))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((None, None, None), "turns"),
        ((None, None, len), "turns"),
        ((-1, None, None), "turns"),
        ((True, None, None), "turns"),
        ((None, 1.5, None), "tokens"),
        ((None, 2**31, None), "tokens"),
        ((1, 1, "four"), "count_tokens"),
    ],
)
def test_limits_that_are_none(arguments: tuple[Any, Any, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        limits(*arguments)
    assert raised.value.field == field
