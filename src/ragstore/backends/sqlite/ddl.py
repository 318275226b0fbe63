"""What a table declaration cannot say on SQLite."""

from __future__ import annotations

SQLITE_MINIMUM = (3, 38, 0)

_COUNT_ADDED = """CREATE TRIGGER rag_embedding_added AFTER INSERT ON rag_embedding BEGIN
    INSERT INTO rag_vector_change (tenant_id, space_id, added, removed) VALUES (new.tenant_id, new.space_id, 1, 0)
    ON CONFLICT (tenant_id, space_id) DO UPDATE SET added = added + 1;
END"""
# While a space is being deleted, its row of counts may be gone first: then there is nothing to count.
_COUNT_REMOVED = """CREATE TRIGGER rag_embedding_removed AFTER DELETE ON rag_embedding BEGIN
    UPDATE rag_vector_change SET removed = removed + 1 WHERE tenant_id = old.tenant_id AND space_id = old.space_id;
END"""
_COUNT_CHANGED = """CREATE TRIGGER rag_embedding_changed AFTER UPDATE ON rag_embedding BEGIN
    UPDATE rag_vector_change SET removed = removed + 1 WHERE tenant_id = new.tenant_id AND space_id = new.space_id;
END"""

STORAGE = (_COUNT_ADDED, _COUNT_REMOVED, _COUNT_CHANGED)
"""Run after the tables are made."""
