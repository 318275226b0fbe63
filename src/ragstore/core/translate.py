"""Error translation: the one place where a driver's error becomes ours.

Classified by SQLSTATE and driver class only, never by message text: servers speak many languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from ragstore.errors import PoolTimeout, RagstoreError, UsageError

Classify = Callable[[BaseException, bool], RagstoreError | None]
"""Gives our error for a driver's error and whether the connection was invalidated; None: not of the driver."""


@contextmanager
def translating(classify: Classify) -> Iterator[None]:
    """Raise our error for whatever the driver or SQLAlchemy's pool raises inside."""
    try:
        yield
    except exc.TimeoutError as error:
        message = "no connection became free in time: return connections sooner, or raise pool_size or pool_timeout"
        raise PoolTimeout(f"{message} ({error.args[0] if error.args else error})") from error
    except exc.DBAPIError as error:
        original = error.orig if error.orig is not None else error
        raise classify(original, error.connection_invalidated) or error from error
    except (exc.InvalidRequestError, exc.ArgumentError) as error:
        raise UsageError(str(error)) from error
    except RagstoreError:
        raise
    except Exception as error:  # COPY and pool events run below SQLAlchemy, which then wraps nothing
        ours = classify(error, False)
        if ours is None:
            raise
        raise ours from error
