"""What a search reads of the chunks it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_

from ragstore.corpus.records import SearchHit
from ragstore.corpus.search.fusion import Ranked
from ragstore.corpus.tables import ChunkRow, DocumentRow

IS_ITS_DOCUMENT = and_(DocumentRow.tenant_id == ChunkRow.tenant_id, DocumentRow.id == ChunkRow.document_id)
HIT_CHUNK_COLUMNS = (
    ChunkRow.id,
    ChunkRow.document_id,
    ChunkRow.chunk_index,
    ChunkRow.content,
    ChunkRow.heading,
    ChunkRow.page,
    ChunkRow.start_offset,
    ChunkRow.end_offset,
    ChunkRow.meta,
)
HIT_DOCUMENT_COLUMNS = (
    DocumentRow.source,
    DocumentRow.title,
    DocumentRow.doc_type,
    DocumentRow.meta,
    DocumentRow.created_at,
    DocumentRow.updated_at,
)
HIT_COLUMNS = (*HIT_CHUNK_COLUMNS, *HIT_DOCUMENT_COLUMNS)


def to_hit(row: Sequence[Any], ranked: Ranked, collection: str) -> SearchHit:
    """Make a hit of `HIT_COLUMNS` and what ranked it."""
    return SearchHit(
        chunk_id=row[0],
        document_id=row[1],
        chunk_index=row[2],
        content=row[3],
        heading=row[4],
        page=row[5],
        start_offset=row[6],
        end_offset=row[7],
        metadata=row[8],
        source=row[9],
        title=row[10],
        doc_type=row[11],
        document_metadata=row[12],
        created_at=row[13],
        updated_at=row[14],
        collection=collection,
        score=ranked.score,
        distance=ranked.distance,
        bm25=ranked.bm25,
        vector_rank=ranked.vector_rank,
        text_rank=ranked.text_rank,
    )
