"""A role that may do less than the tables' owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import make_url

from ragstore import migrations
from ragstore.operations.doctor import diagnose
from tests.operations.doctor.conftest import of, one

SQL = Callable[..., list[Any]]


@pytest.fixture
def as_role(upgraded: str, role: str) -> str:
    """URL of an upgraded database for a role that has no right in it."""
    return make_url(upgraded).set(username=role, password="secret").render_as_string(hide_password=False)


def test_what_the_remedies_grant_is_enough(upgraded: str, as_role: str, role: str, run_sql: SQL) -> None:
    """Each remedy is run as it stands, until nothing is wrong any more."""
    run_sql(upgraded, "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ragstore FROM PUBLIC")
    found = diagnose(as_role)
    errors = found.at("error")
    assert {finding.check for finding in errors} == {"schema-rights", "table-rights", "function-rights"}
    run_sql(upgraded, *(finding.remedy for finding in errors))
    again = diagnose(as_role)
    assert again.healthy, again.findings
    assert again.at("warning") == ()
    assert again.state is migrations.State.CURRENT
    meta = "SELECT has_table_privilege(:role, 'ragstore.rag_meta', 'INSERT')"
    assert run_sql(upgraded, meta, role=role) == [(False,)]


def test_some_rights(upgraded: str, as_role: str, role: str, run_sql: SQL) -> None:
    """Only what lacks is named."""
    run_sql(
        upgraded,
        f"GRANT USAGE ON SCHEMA ragstore TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ragstore TO {role}",
        f"REVOKE DELETE, UPDATE ON ragstore.rag_chunk FROM {role}",
    )
    found = one("table-rights", as_role)
    assert found.subject == "rag_chunk"
    assert found.remedy == f'GRANT UPDATE, DELETE ON "ragstore"."rag_chunk" TO "{role}";'


def test_ownership_and_temporary_tables(upgraded: str, as_role: str, run_sql: SQL) -> None:
    """Hints: the application itself needs neither."""
    run_sql(upgraded, f'REVOKE TEMPORARY ON DATABASE "{make_url(upgraded).database}" FROM PUBLIC')
    owner, temporary = one("ownership", as_role), one("temporary-rights", as_role)
    assert (owner.level, temporary.level) == ("hint", "hint")
    assert "postgres" in owner.remedy
    assert "GRANT TEMPORARY" in temporary.remedy


def test_owner(upgraded: str) -> None:
    for check in ("schema-rights", "table-rights", "function-rights", "ownership", "temporary-rights"):
        assert of(check, upgraded) == []
