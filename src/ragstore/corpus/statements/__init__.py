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
    delete_chunks as delete_chunks,
)
from ragstore.corpus.statements.chunks import (
    insert_chunks as insert_chunks,
)
from ragstore.corpus.statements.chunks import (
    insert_embeddings as insert_embeddings,
)
from ragstore.corpus.statements.chunks import (
    present_hashes as present_hashes,
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
    seed_collection as seed_collection,
)
from ragstore.corpus.statements.collections import (
    update_collection as update_collection,
)
from ragstore.corpus.statements.deleting import (
    ANYTHING as ANYTHING,
)
from ragstore.corpus.statements.deleting import (
    OF_ID as OF_ID,
)
from ragstore.corpus.statements.deleting import (
    OF_SOURCE as OF_SOURCE,
)
from ragstore.corpus.statements.deleting import (
    DoomedChunk as DoomedChunk,
)
from ragstore.corpus.statements.deleting import (
    DoomedDocument as DoomedDocument,
)
from ragstore.corpus.statements.deleting import (
    Matching as Matching,
)
from ragstore.corpus.statements.deleting import (
    collection_of as collection_of,
)
from ragstore.corpus.statements.deleting import (
    delete_documents as delete_documents,
)
from ragstore.corpus.statements.deleting import (
    delete_doomed as delete_doomed,
)
from ragstore.corpus.statements.deleting import (
    doomed_chunks as doomed_chunks,
)
from ragstore.corpus.statements.deleting import (
    doomed_documents as doomed_documents,
)
from ragstore.corpus.statements.deleting import (
    note_deleted_chunks as note_deleted_chunks,
)
from ragstore.corpus.statements.deleting import (
    patch_document as patch_document,
)
from ragstore.corpus.statements.deleting import (
    to_doomed_chunk as to_doomed_chunk,
)
from ragstore.corpus.statements.deleting import (
    to_doomed_document as to_doomed_document,
)
from ragstore.corpus.statements.documents import (
    StoredDocument as StoredDocument,
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
    stored_documents as stored_documents,
)
from ragstore.corpus.statements.documents import (
    to_document as to_document,
)
from ragstore.corpus.statements.documents import (
    update_documents as update_documents,
)
from ragstore.corpus.statements.exporting import (
    count_chunks as count_chunks,
)
from ragstore.corpus.statements.exporting import (
    count_documents as count_documents,
)
from ragstore.corpus.statements.exporting import (
    exported_chunks as exported_chunks,
)
from ragstore.corpus.statements.exporting import (
    exported_documents as exported_documents,
)
from ragstore.corpus.statements.exporting import (
    to_exported_chunk as to_exported_chunk,
)
from ragstore.corpus.statements.exporting import (
    unembedded_page as unembedded_page,
)
from ragstore.corpus.statements.orphans import (
    IS_EXTERNAL as IS_EXTERNAL,
)
from ragstore.corpus.statements.orphans import (
    IS_ORPHAN as IS_ORPHAN,
)
from ragstore.corpus.statements.orphans import (
    create_active_ids as create_active_ids,
)
from ragstore.corpus.statements.orphans import (
    drop_active_ids as drop_active_ids,
)
from ragstore.corpus.statements.orphans import (
    empty_active_ids as empty_active_ids,
)
from ragstore.corpus.statements.orphans import (
    insert_active_ids as insert_active_ids,
)
from ragstore.corpus.statements.orphans import (
    now as now,
)
from ragstore.corpus.statements.spaces import (
    add_embeddings as add_embeddings,
)
from ragstore.corpus.statements.spaces import (
    advance_backfill as advance_backfill,
)
from ragstore.corpus.statements.spaces import (
    all_spaces as all_spaces,
)
from ragstore.corpus.statements.spaces import (
    backfilled_to as backfilled_to,
)
from ragstore.corpus.statements.spaces import (
    claim_index as claim_index,
)
from ragstore.corpus.statements.spaces import (
    count_covered as count_covered,
)
from ragstore.corpus.statements.spaces import (
    count_vectors as count_vectors,
)
from ragstore.corpus.statements.spaces import (
    count_vectors_to as count_vectors_to,
)
from ragstore.corpus.statements.spaces import (
    delete_space as delete_space,
)
from ragstore.corpus.statements.spaces import (
    delete_vectors as delete_vectors,
)
from ragstore.corpus.statements.spaces import (
    index_options as index_options,
)
from ragstore.corpus.statements.spaces import (
    insert_space as insert_space,
)
from ragstore.corpus.statements.spaces import (
    keep_spaces as keep_spaces,
)
from ragstore.corpus.statements.spaces import (
    lacking_chunks as lacking_chunks,
)
from ragstore.corpus.statements.spaces import (
    lock_retired as lock_retired,
)
from ragstore.corpus.statements.spaces import (
    lock_vectors as lock_vectors,
)
from ragstore.corpus.statements.spaces import (
    retired_spaces as retired_spaces,
)
from ragstore.corpus.statements.spaces import (
    space_by_id as space_by_id,
)
from ragstore.corpus.statements.spaces import (
    spaces_being_indexed as spaces_being_indexed,
)
from ragstore.corpus.statements.spaces import (
    spaces_of as spaces_of,
)
from ragstore.corpus.statements.spaces import (
    standing_chunks as standing_chunks,
)
from ragstore.corpus.statements.spaces import (
    switch_spaces as switch_spaces,
)
from ragstore.corpus.statements.spaces import (
    texts_of as texts_of,
)
from ragstore.corpus.statements.spaces import (
    update_space as update_space,
)
