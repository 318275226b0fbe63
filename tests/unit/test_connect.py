"""How engines are made: what the settings say, and what a URL says goes first."""

import pytest
from sqlalchemy import make_url

from ragstore import Settings, Store
from ragstore.backends import backend_for, read_url
from ragstore.errors import InvalidInput, UsageError

URL = make_url("postgresql+psycopg://host/name")


def options(url: str = "postgresql://host/name", **settings: object) -> dict[str, object]:
    parsed = read_url(url)
    return backend_for(parsed.get_dialect()()).engine_options(parsed, Settings(**settings))  # type: ignore[arg-type]


def test_keepalives_prepared_statements_and_hstore() -> None:
    """CX06, CX19: TCP keepalives 30/10/5; nothing prepared behind a pooler; no query of ours at connect."""
    made = options()
    arguments = made["connect_args"]
    assert isinstance(arguments, dict)
    kept = ("keepalives_idle", "keepalives_interval", "keepalives_count")
    assert [arguments[name] for name in kept] == [30, 10, 5]
    assert arguments["prepare_threshold"] is None
    assert "options" not in arguments
    assert made["use_native_hstore"] is False


def test_prepared_statements_on_request() -> None:
    assert options(prepared_statements=True)["connect_args"]["prepare_threshold"] == 5  # type: ignore[index]


def test_the_url_goes_first() -> None:
    made = options("postgresql://host/name?connect_timeout=3&keepalives_idle=99&sslmode=require")
    assert not {"connect_timeout", "keepalives_idle", "sslmode"} & set(made["connect_args"])  # type: ignore[call-overload]


@pytest.mark.parametrize("url", ["postgresql://h/n", "postgres://h/n", "postgresql+psycopg://h/n"])
def test_all_these_mean_psycopg_3(url: str) -> None:
    assert read_url(url).drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://h/n", UsageError),
        ("postgresql+asyncpg://h/n", UsageError),
        ("sqlite://", UsageError),
        ("sqlite:///:memory:", UsageError),
        ("sqlite:///file:x?mode=memory&uri=true", UsageError),
        ("no url", InvalidInput),
        ("postgresql://u:secret@h:port/n", InvalidInput),
    ],
)
def test_unfit_urls(url: str, error: type[Exception]) -> None:
    """CX08, M45: refused at once, and never with the password."""
    with pytest.raises(error) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"tenant": ""},
        {"tenant": " a"},
        {"tenant": "a" * 65},
        {"schema": ""},
        {"schema": "x" * 64},
        {"pool_timeout": 0},
        {"statement_timeout": -1},
        {"lock_timeout": 0},
        {"ping_after": -1},
        {"pool_size": 0},
        {"invalid_text": "ignore"},
        {"sqlite_synchronous": "off"},
    ],
)
def test_unfit_settings(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings(**settings)  # type: ignore[arg-type]
    assert caught.value.field in (*settings, "pool_size")
