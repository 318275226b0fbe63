"""What people use instead: for each an adapter that loads, indexes and searches.

Each is set up as its documentation says, with what a careful user would add: bulk calls, an HNSW index with the same
parameters built after the load, an index on the field that is filtered by, and one store that is kept open. None is
asked to make embeddings.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psycopg
from sqlalchemy.engine import make_url

import ragstore
from benchmarks.data import COLLECTION, DIMENSIONS, Document, Floats
from ragstore import F, Store

# no calls home, and nothing that asks the network at import
os.environ |= {"ANONYMIZED_TELEMETRY": "False", "HAYSTACK_TELEMETRY_ENABLED": "False", "DO_NOT_TRACK": "1"}

M, EF_CONSTRUCTION, EF_SEARCH = 16, 64, 40
KIND = "hundredth"

Places = list[tuple[str, int]]


class Peer:
    """A store of chunks.

    Attributes:
        package: Its name on PyPI.
        setup: How it was set up, for the documentation.
        on_server: Whether it keeps its chunks in PostgreSQL.
    """

    package: ClassVar[str]
    name: ClassVar[str]
    setup: ClassVar[str]
    on_server: ClassVar[bool] = True

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def create(self) -> None:
        """Make the tables, and open the store for loading."""
        raise NotImplementedError

    def load(self, documents: Sequence[Document]) -> None:
        """Write chunks with their vectors and metadata."""
        raise NotImplementedError

    def index(self) -> None:
        """Build the index."""
        raise NotImplementedError

    def open(self, url: str) -> None:
        """Open the store for searching."""
        raise NotImplementedError

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        """Find the ten nearest with text and metadata; `filtered`: only those of one kind."""
        raise NotImplementedError

    def hybrid(self, text: str, vector: Floats) -> Places | None:
        """Find the ten best by words and vector; None: the peer cannot."""
        return None

    def close(self) -> None:
        """Close the store."""

    def _url(self, url: str, driver: str) -> str:
        return make_url(url).set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def _rows(documents: Sequence[Document]) -> Iterator[tuple[str, str, dict[str, Any], list[float]]]:
    """Give id, text, metadata and vector of each chunk, as the peers take them."""
    for document, chunks in documents:
        for place, chunk in enumerate(chunks):
            metadata = {"source": document.source, "place": place, "kind": document.doc_type, "title": document.title}
            yield f"{document.source}#{place}", chunk.content, metadata, chunk.embedding.tolist()  # type: ignore[union-attr]


def _place(metadata: Any) -> tuple[str, int]:
    return metadata["source"], int(metadata["place"])


class Ragstore(Peer):
    """This library on PostgreSQL."""

    package, name = "ragstore", "ragstore"
    setup = (
        "`documents.load`, then `spaces.create_index(method='hnsw')`; the field is `doc_type`, a column with an index"
    )

    def create(self) -> None:
        ragstore.upgrade(self.url)
        self.store = Store.open(self.url)
        self.store.collections.ensure(COLLECTION, model="bench", dimensions=DIMENSIONS)

    def load(self, documents: Sequence[Document]) -> None:
        self.store.documents.load(COLLECTION, documents)

    def index(self) -> None:
        self.store.collections.analyze(COLLECTION)
        create = getattr(getattr(self.store, "spaces", None), "create_index", None)
        if create is None:
            print(f"{self.name}: no index, as this ragstore has no store.spaces.create_index")
        else:
            create(COLLECTION, method="hnsw")
        self.store.close()

    def open(self, url: str) -> None:
        self.store = Store.open(url)

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        where = F.doc_type == KIND if filtered else None
        hits = self.store.chunks.search(COLLECTION, embedding=vector, where=where)
        return [(hit.source, hit.chunk_index) for hit in hits]

    def hybrid(self, text: str, vector: Floats) -> Places:
        hits = self.store.chunks.search(COLLECTION, text=text, embedding=vector)
        return [(hit.source, hit.chunk_index) for hit in hits]

    def close(self) -> None:
        self.store.close()


class RagstoreOnSqlite(Ragstore):
    """This library on SQLite, which searches exactly."""

    name = "ragstore on SQLite"
    setup = "`documents.load` into a file; exact search; the field is `doc_type`"
    on_server = False

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder / 'ragstore.db'}", folder)

    def index(self) -> None:
        self.store.collections.analyze(COLLECTION)
        self.store.close()


class LangChain(Peer):
    """langchain-postgres, its present class."""

    package, name = "langchain-postgres", "langchain-postgres"
    setup = (
        "`PGEngine` over asyncpg, `PGVectorStore.add_embeddings`, `HNSWIndex`, `HNSWQueryOptions`; the field is a metadata"
        " column with a B-tree index; hybrid with a `tsv_column` and reciprocal rank fusion (all words must match)"
    )

    def create(self) -> None:
        from langchain_postgres import Column, PGEngine
        from langchain_postgres.v2.hybrid_search_config import HybridSearchConfig, reciprocal_rank_fusion

        self.both = HybridSearchConfig(
            tsv_column="content_tsv",
            fusion_function=reciprocal_rank_fusion,
            primary_top_k=100,
            secondary_top_k=100,
            index_name="langchain_words",
        )
        self.engine = PGEngine.from_connection_string(self._url(self.url, "asyncpg"))
        self.engine.init_vectorstore_table(
            "langchain",
            DIMENSIONS,
            metadata_columns=[Column("kind", "TEXT")],
            id_column=Column("langchain_id", "TEXT"),
            hybrid_search_config=self.both,
        )
        self._open_store()

    def _open_store(self) -> None:
        from langchain_core.embeddings import DeterministicFakeEmbedding
        from langchain_postgres import PGVectorStore
        from langchain_postgres.v2.indexes import HNSWQueryOptions

        self.store = PGVectorStore.create_sync(
            self.engine,
            embedding_service=DeterministicFakeEmbedding(size=DIMENSIONS),  # never asked: all vectors are given
            table_name="langchain",
            metadata_columns=["kind"],
            index_query_options=HNSWQueryOptions(ef_search=EF_SEARCH),
            hybrid_search_config=self.both,
        )

    def load(self, documents: Sequence[Document]) -> None:
        ids, texts, metadatas, embeddings = zip(*_rows(documents), strict=True)
        self.store.add_embeddings(list(texts), list(embeddings), metadatas=list(metadatas), ids=list(ids))

    def index(self) -> None:
        from langchain_postgres.v2.indexes import HNSWIndex

        self.store.apply_vector_index(HNSWIndex(m=M, ef_construction=EF_CONSTRUCTION))
        self._execute("CREATE INDEX ON langchain (kind)")
        self._execute("CREATE INDEX ON langchain USING gin (content_tsv)")
        self.close()

    def open(self, url: str) -> None:
        from langchain_postgres import PGEngine

        self.engine = PGEngine.from_connection_string(self._url(url, "asyncpg"))
        self._open_store()

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        where = {"kind": {"$eq": KIND}} if filtered else None
        found = self.store.similarity_search_by_vector(vector.tolist(), k=10, filter=where, hybrid_search_config=None)
        return [_place(document.metadata) for document in found]

    def hybrid(self, text: str, vector: Floats) -> Places:
        found = self.store.similarity_search_by_vector(vector.tolist(), k=10, fts_query=text)
        return [_place(document.metadata) for document in found]

    def close(self) -> None:
        self.engine._run_as_sync(self.engine.close())


class LlamaIndex(Peer):
    """llama-index-vector-stores-postgres."""

    package, name = "llama-index-vector-stores-postgres", "llama-index postgres"
    setup = (
        "`PGVectorStore` over psycopg2 with `use_jsonb`, `hybrid_search` and `indexed_metadata_keys`, `add`; opened again"
        " with `hnsw_kwargs` after the load, which builds the index; hybrid puts both lists together without fusing them"
    )

    def create(self) -> None:
        self.store = self._store(self.url, None)

    def _store(self, url: str, hnsw: dict[str, Any] | None) -> Any:
        from llama_index.vector_stores.postgres import PGVectorStore

        return PGVectorStore(
            connection_string=self._url(url, "psycopg2"),
            async_connection_string=self._url(url, "asyncpg"),
            table_name="llamaindex",
            embed_dim=DIMENSIONS,
            hybrid_search=True,
            text_search_config="english",
            use_jsonb=True,
            indexed_metadata_keys={("kind", "text")},
            hnsw_kwargs=hnsw,
            initialization_fail_on_error=True,
        )

    def load(self, documents: Sequence[Document]) -> None:
        from llama_index.core.schema import TextNode

        rows = _rows(documents)
        self.store.add([TextNode(id_=i, text=t, metadata=meta, embedding=vector) for i, t, meta, vector in rows])

    def index(self) -> None:
        self.close()
        self.open(self.url)
        self.search(np.ones(DIMENSIONS, np.float32))  # connects, and builds the index where there is none
        self.close()

    def open(self, url: str) -> None:
        hnsw = {"hnsw_m": M, "hnsw_ef_construction": EF_CONSTRUCTION, "hnsw_ef_search": EF_SEARCH}
        self.store = self._store(url, hnsw | {"hnsw_dist_method": "vector_cosine_ops"})

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, VectorStoreQuery

        where = MetadataFilters(filters=[MetadataFilter(key="kind", value=KIND)]) if filtered else None
        found = self.store.query(VectorStoreQuery(query_embedding=vector.tolist(), similarity_top_k=10, filters=where))
        return [_place(node.metadata) for node in found.nodes]

    def hybrid(self, text: str, vector: Floats) -> Places:
        from llama_index.core.vector_stores import VectorStoreQuery
        from llama_index.core.vector_stores.types import VectorStoreQueryMode

        query = VectorStoreQuery(
            query_embedding=vector.tolist(),
            query_str=text,
            similarity_top_k=10,
            sparse_top_k=10,
            mode=VectorStoreQueryMode.HYBRID,
        )
        return [_place(node.metadata) for node in self.store.query(query).nodes]

    def close(self) -> None:
        self.store._engine.dispose()


class Haystack(Peer):
    """pgvector-haystack."""

    package, name = "pgvector-haystack", "pgvector-haystack"
    setup = (
        "`PgvectorDocumentStore` (one connection), `write_documents`; opened again with `search_strategy='hnsw'` after the"
        " load, which builds the index; an expression index on the key of `meta`; hybrid by both retrievers and"
        " `DocumentJoiner`"
    )

    def create(self) -> None:
        self.store = self._store(self.url, search_strategy="exact_nearest_neighbor")

    def _store(self, url: str, **options: Any) -> Any:
        from haystack.utils import Secret
        from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

        return PgvectorDocumentStore(
            connection_string=Secret.from_token(url),
            embedding_dimension=DIMENSIONS,
            vector_function="cosine_similarity",
            **options,
        )

    def load(self, documents: Sequence[Document]) -> None:
        from haystack import Document as HaystackDocument

        rows = _rows(documents)
        self.store.write_documents([HaystackDocument(id=i, content=t, meta=m, embedding=v) for i, t, m, v in rows])

    def index(self) -> None:
        self._execute("CREATE INDEX ON haystack_documents ((meta ->> 'kind'))")
        self.close()
        self.open(self.url)
        self.close()

    def open(self, url: str) -> None:
        from haystack.components.joiners import DocumentJoiner
        from haystack_integrations.components.retrievers.pgvector import (
            PgvectorEmbeddingRetriever,
            PgvectorKeywordRetriever,
        )

        self.store = self._store(
            url,
            search_strategy="hnsw",
            hnsw_index_creation_kwargs={"m": M, "ef_construction": EF_CONSTRUCTION},
            hnsw_ef_search=EF_SEARCH,
        )
        self.by_vector = PgvectorEmbeddingRetriever(document_store=self.store, top_k=10)
        self.by_text = PgvectorKeywordRetriever(document_store=self.store, top_k=100)
        self.joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=10)
        self.store.count_documents()  # connects, and builds the index where there is none

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        where = {"field": "meta.kind", "operator": "==", "value": KIND} if filtered else None
        found = self.by_vector.run(query_embedding=vector.tolist(), filters=where)["documents"]
        return [_place(document.meta) for document in found]

    def hybrid(self, text: str, vector: Floats) -> Places:
        legs = [
            self.by_vector.run(query_embedding=vector.tolist(), top_k=100)["documents"],
            self.by_text.run(query=text)["documents"],
        ]
        return [_place(document.meta) for document in self.joiner.run(legs)["documents"]]

    def close(self) -> None:
        self.store._connection.close()


class Chroma(Peer):
    """chromadb, in the process."""

    package, name = "chromadb", "chromadb"
    setup = (
        "`PersistentClient` (a folder, in the process), `add` in its largest batches, `hnsw` with the same parameters"
    )
    on_server = False

    def create(self) -> None:
        self.open("")
        self.chunks = self.client.create_collection(
            "bench",
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "ef_construction": EF_CONSTRUCTION,
                    "max_neighbors": M,
                    "ef_search": EF_SEARCH,
                }
            },
        )

    def load(self, documents: Sequence[Document]) -> None:
        rows = iter(list(_rows(documents)))
        while part := list(itertools.islice(rows, self.client.get_max_batch_size())):
            ids, texts, metadatas, embeddings = zip(*part, strict=True)
            self.chunks.add(list(ids), embeddings=list(embeddings), documents=list(texts), metadatas=list(metadatas))

    def index(self) -> None:
        """Nothing to do: it is built while loading."""

    def open(self, url: str) -> None:
        import chromadb

        if not hasattr(self, "client"):
            settings = chromadb.config.Settings(anonymized_telemetry=False)
            self.client = chromadb.PersistentClient(str(self.folder / "chroma"), settings=settings)

    def search(self, vector: Floats, *, filtered: bool = False) -> Places:
        where = {"kind": KIND} if filtered else None
        include = ["documents", "metadatas", "distances"]
        found = self.chunks.query(query_embeddings=[vector.tolist()], n_results=10, where=where, include=include)
        return [_place(metadata) for metadata in found["metadatas"][0]]


PEERS: tuple[type[Peer], ...] = (Ragstore, LangChain, LlamaIndex, Haystack, RagstoreOnSqlite, Chroma)
