"""Tokens of sessions: what is read, what is refused, how one secret follows from another; and the rules of kinds."""

from __future__ import annotations

import math
import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragstore
from ragstore.core.border import TextPolicy
from ragstore.core.ids import new_id
from ragstore.errors import InvalidInput
from ragstore.sessions import preparing
from ragstore.sessions.book import SessionBook
from ragstore.sessions.judging import Worth, judge
from ragstore.sessions.records import NewSession, Session, SessionEvent, SessionRules
from ragstore.sessions.statements import Stored
from ragstore.sessions.tokens import MAX_STEPS, Token, new_nonce, new_token, read_token

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TENANTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=16)


def stored(token: Token, *, nonce: bytes = b"n" * 32, **changes: Any) -> Stored:
    """Make the row of a session whose current token this is."""
    session = Session(
        tenant=token.tenant,
        id=token.session_id,
        kind="login",
        user_id="ann",
        organisation_id=None,
        data={},
        data_version=0,
        schema_version=1,
        created_at=NOON,
        last_seen_at=NOON,
        ends_at=NOON + timedelta(hours=1),
        expires_at=NOON + timedelta(hours=8),
        ip=None,
        agent=None,
        label=None,
    )
    row = Stored(session, token.digest, nonce, token.generation, NOON, timedelta(0), over=False, at=NOON)
    return replace(row, **changes)


@given(TENANTS, st.integers(0, 10**9 - 1))
def test_a_token_is_read_as_it_was_written(tenant: str, generation: int) -> None:
    token = replace(new_token(tenant, new_id()), generation=generation)
    text = str(token)
    assert read_token(text) == token
    assert len(text) <= 167
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", text)


@given(st.text() | st.binary() | st.none() | st.integers() | st.from_regex(r"rs1\.[\w-]*\.[\w-]*\.\d*\.[\w-]*"))
def test_whatever_is_presented_is_no_token(presented: Any) -> None:
    """S-2: it never raises; by chance alone nothing is a token, and what is one is spelled in one way."""
    token = read_token(presented)
    assert token is None or str(token) == presented


@given(st.data())
def test_a_changed_character_never_admits(data: st.DataObject) -> None:
    """S-2: any other text than the token's own is malformed or worth nothing."""
    token = Token("default", UUID(int=7), 0, b"s" * 32)
    text = str(token)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(exclude_characters=text[place]))
    changed = read_token(text[:place] + other + text[place + 1 :])
    if changed is not None and (changed.tenant, changed.session_id) == (token.tenant, token.session_id):
        assert judge(changed, stored(token), SessionBook()).worth is Worth.NOTHING


@pytest.mark.parametrize("tenant", ["", "a" * 65, "nul\0", b"\xff\xfe"])
def test_a_tenant_that_cannot_be(tenant: str | bytes) -> None:
    raw = tenant if isinstance(tenant, bytes) else tenant.encode()
    parts = str(new_token("x", new_id())).split(".")
    parts[1] = urlsafe_b64encode(raw).decode().rstrip("=")
    assert read_token(".".join(parts)) is None


@pytest.mark.parametrize("generation", ["01", "-1", "+1", "1e3", "٣", "", " 1", "9999999999"])
def test_a_generation_has_one_spelling(generation: str) -> None:
    parts = str(new_token("x", new_id())).split(".")
    parts[3] = generation
    assert read_token(".".join(parts)) is None


def test_a_secret_leads_to_the_later_ones_and_to_none_before() -> None:
    first, nonce = new_token("t", new_id()), new_nonce()
    third = first.at(3, nonce)
    assert third is not None
    assert third != first.at(3, new_nonce())
    second = first.at(2, nonce)
    assert second is not None
    assert second.at(3, nonce) == third
    assert third.at(2, nonce) is None
    assert first.at(MAX_STEPS, nonce) is not None
    assert first.at(MAX_STEPS + 1, nonce) is None
    assert len({first.secret, second.secret, third.secret}) == 3


def test_what_a_token_is_worth() -> None:
    """S-3: current; outdated in the window; replayed after it, and at once if two rotations old."""
    nonce, book = b"n" * 32, SessionBook()
    first = new_token("t", new_id())
    second, third = first.at(1, nonce), first.at(2, nonce)
    assert second is not None
    assert third is not None

    def worth(token: Token, current: Token, seconds: float = 0, **changes: Any) -> Worth:
        row = stored(current, nonce=nonce, at=NOON + timedelta(seconds=seconds), **changes)
        presented = judge(token, row, book)
        assert presented.successor == (None if presented.worth is Worth.NOTHING else current)
        return presented.worth

    assert worth(second, second, 10**6) is Worth.CURRENT
    assert worth(first, second, 59.999) is Worth.OUTDATED
    assert worth(first, second, 60) is Worth.REPLAYED
    assert worth(first, third) is Worth.REPLAYED
    assert worth(second, first) is Worth.NOTHING  # of the future
    assert worth(replace(second, generation=0), first) is Worth.NOTHING
    assert worth(replace(first, generation=5), first) is Worth.NOTHING  # the right secret under another number
    assert worth(replace(first, secret=b"x" * 32), first) is Worth.NOTHING
    assert worth(first, first, over=True) is Worth.NOTHING
    assert worth(first, second, 60, over=True) is Worth.NOTHING  # nothing is left to revoke
    assert judge(first, None, book).worth is Worth.NOTHING


def test_one_digest_is_compared_whatever_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-1: counted, not timed."""
    from ragstore.sessions import judging

    compared: list[bool] = []
    compare = judging.hmac.compare_digest
    monkeypatch.setattr(judging.hmac, "compare_digest", lambda a, b: compared.append(True) or compare(a, b))
    token = new_token("t", new_id())
    wrong = replace(token, secret=b"x" * 32)
    for presented, row in (
        (token, None),
        (wrong, stored(token)),
        (token, stored(token, over=True)),
        (replace(token, generation=7), stored(token)),
        (token, stored(token)),
    ):
        compared.clear()
        judge(presented, row, SessionBook())
        assert compared == [True]


def test_secrets_are_not_shown() -> None:
    token = new_token("t", new_id())
    text = str(token)
    new = NewSession(token=text, session=stored(token).session)
    secret = text.rsplit(".", 1)[1]
    for shown in (repr(new), str(new), f"{new}", repr(token)):
        assert secret not in shown
        assert text not in shown
        assert repr(token.secret) not in shown


def test_no_pickle() -> None:
    """S-12: nothing in the package loads what could run code."""
    package = Path(ragstore.__file__).parent
    for path in package.rglob("*.py"):
        found = re.search(r"\b(c?[Pp]ickle|marshal|shelve|dill|jsonpickle)\b(?=\.| import|$)", path.read_text("utf-8"))
        assert found is None, path
        assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve)", path.read_text("utf-8"), re.MULTILINE), path


# ------------------------------------------------------------------------------------------------------- rules


def test_rules_take_seconds_and_timedeltas() -> None:
    rules = SessionRules("login", idle=90, absolute=0.5, touch_interval=timedelta(seconds=1), replay_window=0)
    assert (rules.idle, rules.absolute) == (timedelta(seconds=90), timedelta(milliseconds=500))
    assert rules == SessionRules("login", idle=timedelta(seconds=90), absolute=0.5, touch_interval=1, replay_window=0)
    assert SessionRules("login", idle=None, touch_interval=10**6).idle is None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("kind", {"kind": ""}),
        ("kind", {"kind": "k" * 64}),
        ("idle", {"idle": 0}),
        ("idle", {"idle": -1}),
        ("idle", {"idle": True}),
        ("idle", {"idle": "1"}),
        ("absolute", {"absolute": None}),
        ("absolute", {"absolute": math.inf}),
        ("absolute", {"absolute": math.nan}),
        ("absolute", {"absolute": timedelta(days=3661)}),
        ("touch_interval", {"idle": 60, "touch_interval": 60}),
        ("touch_interval", {"touch_interval": -1}),
        ("replay_window", {"replay_window": -1}),
        ("max_sessions", {"max_sessions": 0}),
        ("on_limit", {"on_limit": "ignore"}),
        ("max_data_bytes", {"max_data_bytes": 1_000_001}),
    ],
)
def test_rules_that_cannot_hold(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        SessionRules(**{"kind": "login", **values})
    assert caught.value.field == field


def test_the_book() -> None:
    book = SessionBook()
    assert book.rules("login") == SessionRules("login")
    book.define([SessionRules("login", idle=90), SessionRules("visit")])
    book.define([SessionRules("visit", idle=100)])
    assert (book.rules("login").idle, book.rules("visit").idle) == (timedelta(seconds=90), timedelta(seconds=100))
    with pytest.raises(InvalidInput):
        book.define([SessionRules("visit"), "login"])  # type: ignore[list-item]


def test_a_listeners_error_is_logged_and_the_others_hear(caplog: pytest.LogCaptureFixture) -> None:
    """S-14: what is told of has happened, so an error cannot undo it."""
    book, heard = SessionBook(), []

    def fail(_event: SessionEvent) -> None:
        raise ValueError("no")

    async def wait(_event: SessionEvent) -> None: ...

    book.listen(fail)
    book.listen(heard.append)
    event = SessionEvent(type="created", tenant="t", session_id=new_id(), at=NOON)
    book.tell([event])
    assert heard == [event]
    assert [record.name for record in caplog.records] == ["ragstore.sessions"]
    assert "ValueError: no" in caplog.text
    for wrong in (wait, "text"):
        with pytest.raises(InvalidInput):
            book.listen(wrong)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------ border


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_of_an_address_the_network_is_kept(given: str | None, kept: str | None) -> None:
    assert preparing.network(given) == kept


@pytest.mark.parametrize("wrong", ["", "unknown", "203.0.113.77:80", "[::1]", "300.1.1.1", 7, b"\x7f\0\0\1"])
def test_no_address(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="ip: must be"):
        preparing.network(wrong)


def test_device_texts() -> None:
    policy = TextPolicy()
    assert preparing.agent("x" * 600, policy) == "x" * 512
    assert preparing.label("x" * 100, policy) == "x" * 100
    for call in (
        lambda: preparing.label("x" * 101, policy),
        lambda: preparing.label(1, policy),
        lambda: preparing.agent("a\0", policy),
        lambda: preparing.agent(b"x", policy),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_data_is_an_object_of_json_and_bounded() -> None:
    """S-12."""
    policy = TextPolicy()
    assert preparing.data({"a": (1, None)}, policy, 14) == {"a": [1, None]}
    for wrong in ({"a": [1, None, ""]}, [1], "text", {"a": object()}, {1: 2}, {"a": "ä" * 5}):
        with pytest.raises(InvalidInput):
            preparing.data(wrong, policy, 14)
