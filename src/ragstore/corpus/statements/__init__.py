"""A corpus's statements: each function returns one, with the maker of its records; none is run here.

Statements stand at module level, made once; a call brings only values.
"""

from ragstore.corpus.statements.chunks import (
    StoredChunk as StoredChunk,
)
from ragstore.corpus.statements.chunks import (
    chunk_by_id as chunk_by_id,
)
from ragstore.corpus.statements.chunks import (
    chunk_page as chunk_page,
)
from ragstore.corpus.statements.chunks import (
    chunks_by_hash as chunks_by_hash,
)
from ragstore.corpus.statements.chunks import (
    contents as contents,
)
from ragstore.corpus.statements.chunks import (
    count_chunks as count_chunks,
)
from ragstore.corpus.statements.chunks import (
    delete_chunks as delete_chunks,
)
from ragstore.corpus.statements.chunks import (
    insert_chunks as insert_chunks,
)
from ragstore.corpus.statements.chunks import (
    insert_embeddings as insert_embeddings,
)
from ragstore.corpus.statements.chunks import (
    stored_chunks as stored_chunks,
)
from ragstore.corpus.statements.chunks import (
    unembedded_chunks as unembedded_chunks,
)
from ragstore.corpus.statements.chunks import (
    update_chunks as update_chunks,
)
from ragstore.corpus.statements.collections import (
    collection_by_name as collection_by_name,
)
from ragstore.corpus.statements.collections import (
    collection_page as collection_page,
)
from ragstore.corpus.statements.collections import (
    delete_collection as delete_collection,
)
from ragstore.corpus.statements.collections import (
    insert_collection as insert_collection,
)
from ragstore.corpus.statements.collections import (
    lock_collection as lock_collection,
)
from ragstore.corpus.statements.collections import (
    update_collection as update_collection,
)
from ragstore.corpus.statements.documents import (
    StoredDocument as StoredDocument,
)
from ragstore.corpus.statements.documents import (
    delete_document as delete_document,
)
from ragstore.corpus.statements.documents import (
    document_by_id as document_by_id,
)
from ragstore.corpus.statements.documents import (
    document_by_source as document_by_source,
)
from ragstore.corpus.statements.documents import (
    document_page as document_page,
)
from ragstore.corpus.statements.documents import (
    insert_documents as insert_documents,
)
from ragstore.corpus.statements.documents import (
    lock_document as lock_document,
)
from ragstore.corpus.statements.documents import (
    note_deleted_chunk as note_deleted_chunk,
)
from ragstore.corpus.statements.documents import (
    stored_documents as stored_documents,
)
from ragstore.corpus.statements.documents import (
    update_documents as update_documents,
)
from ragstore.corpus.statements.spaces import (
    insert_space as insert_space,
)
