"""`python -m ragstore` and the script `ragstore`."""

from __future__ import annotations

import sys

from ragstore.errors import InvalidInput, MissingExtra, RagstoreError, UsageError


def main() -> None:
    """Run the command line and end the process.

    The exit code is 0 if all is well, 1 if something failed or a check found something, 2 if the call was wrong.
    """
    try:
        _command_line()
    except RagstoreError as error:
        message = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
        print(f"ragstore: {message or type(error).__name__}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError | InvalidInput) else 1)


def _command_line() -> None:
    try:
        from ragstore.cli import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("typer", "rich"):
            raise
        raise MissingExtra("cli", "The command line") from error
    app(prog_name="ragstore")


if __name__ == "__main__":
    main()
