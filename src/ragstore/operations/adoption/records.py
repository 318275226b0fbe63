"""What goes into an adoption, and what it tells."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ragstore.core.records import Input, Record
from ragstore.errors import InvalidInput

Kind: TypeAlias = Literal["conversation", "document_chunk"]
OnBad: TypeAlias = Literal["refuse", "skip"]
Stage: TypeAlias = Literal["reading", "comparing", "writing", "checking"]
SHOWN = 20


class Mapping(Input):
    """Where things stand in the old database; what is not said is recognised by its name.

    Attributes:
        conversation: Column by field: id, thread, question, answer, created_at, and where there are such sources,
            response_time, feedback, comment, user_id, model. None: leave the field out, though a column has its name.
        document_chunk: Column by field: id, source, content, and where there are such title, content_hash, chunk_index,
            doc_type, version, embedding_id, embedding, metadata, created_at.
        tables: Table by kind: conversation, document_chunk, rate_limit. None: leave that table alone.
        source_schema: The PostgreSQL schema of the old tables; None: the one that the connection begins in.
    """

    conversation: dict[str, str | None] = {}
    document_chunk: dict[str, str | None] = {}
    tables: dict[str, str | None] = {}
    source_schema: str | None = None


class Refusal(Record):
    """A row that cannot be taken over.

    Attributes:
        table: The old table.
        id: The row's id there, as text.
        reason: What is wrong with it, beginning with the field.
    """

    table: str
    id: str
    reason: str


class AdoptedTable(Record):
    """What became of an old table's rows: `rows` is the sum of the other four numbers.

    Attributes:
        name: The table's name.
        rows: How many rows were read.
        added: Those that this run took over; in a dry run, those that it would.
        present: Those that an earlier run had taken over.
        kept: Chunks whose source is in the collection as something else put it there; that stays as it is.
        refused: Those that cannot be taken over.
        unmapped: Columns of which nothing was taken.
    """

    name: str
    rows: int
    added: int
    present: int
    kept: int
    refused: int
    unmapped: tuple[str, ...]


class AdoptionReport(Record):
    """What an adoption found and did.

    Attributes:
        dry_run: Nothing was written.
        conversation: The table of questions and answers; None: there is none.
        document_chunk: The table of chunks; None: there is none.
        threads: Threads in the store that come from the old database; in a dry run, those that would be there after it.
        messages: Messages in the store that come from it; likewise.
        documents: Documents in the store that come from it; likewise.
        chunks: Chunks of these documents; likewise.
        duplicates: Rows of `document_chunk` whose text their document has already: they are noted on the chunk that
            has it.
        rate_limits: Rows of the old table of rate limits, which are left where they are; None: there is no such table.
        refused: The rows that cannot be taken over, by table and id.
    """

    dry_run: bool
    conversation: AdoptedTable | None
    document_chunk: AdoptedTable | None
    threads: int = 0
    messages: int = 0
    documents: int = 0
    chunks: int = 0
    duplicates: int = 0
    rate_limits: int | None = None
    refused: tuple[Refusal, ...] = ()


class AdoptionProgress(Record):
    """How far an adoption is.

    Attributes:
        stage: "reading" all that is old, "comparing" it with the store, "writing", and "checking" what was written.
        table: The old table.
        done: Rows so far; documents when the stage is not "reading" and the table is that of chunks.
        total: How many there are.
    """

    stage: Stage
    table: str
    done: int
    total: int


class RowsRefused(InvalidInput):
    """Rows cannot be taken over, and none was.

    Attributes:
        report: What a dry run would have told; `report.refused` lists the rows.
    """

    def __init__(self, report: AdoptionReport) -> None:
        refused = report.refused
        lines = [f"{row.table} {row.id}: {row.reason}" for row in refused[:SHOWN]]
        more = len(refused) - len(lines)
        end = [f"and {more:,} more"] if more else []
        advice = "nothing was written: mend the rows, or leave them out with on_bad='skip'"
        super().__init__("\n".join([f"{len(refused):,} rows cannot be taken over, and {advice}", *lines, *end]))
        self.report = report
