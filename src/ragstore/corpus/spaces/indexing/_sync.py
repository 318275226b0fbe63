# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository of approximate indexes: build, watch, repair, drop, measure."""

from __future__ import annotations

from uuid import UUID

from ragstore.core import border
from ragstore.core._sync import Access, Repository
from ragstore.core.ids import parse_id
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend, VectorIndexes
from ragstore.corpus.naming import collection_name
from ragstore.corpus.records import (
    EmbeddingSpace,
    IndexMethod,
    IndexStatus,
    Quantization,
    RecallPoint,
    RecallReport,
)
from ragstore.corpus.spaces import indexes, lifecycle, recall
from ragstore.corpus.spaces.building._sync import Builder, IndexProgress
from ragstore.corpus.spaces.measuring._sync import Trial
from ragstore.errors import InvalidInput, RagstoreError, UsageError


class Indexing(Repository[CorpusBackend]):
    """Approximate indexes of embedding spaces."""

    def create_index(
        self,
        collection: str,
        *,
        method: IndexMethod = "hnsw",
        m: int = 16,
        ef_construction: int = 64,
        lists: int | None = None,
        quantization: Quantization = "none",
        progress: IndexProgress | None = None,
        space: UUID | str | None = None,
    ) -> IndexStatus:
        """Build an approximate index on a space's vectors, while others read and write.

        Searches use it as soon as it is complete; until then they are exact. One that is there and as asked for stays;
        another, or one that a failed or killed build has left behind, is dropped first. A second call meanwhile waits
        for the first one's index. The build runs outside any transaction, and waits for transactions that are under
        way. PostgreSQL only.

        Args:
            collection: The collection's name.
            method: "hnsw" answers faster and better, "ivfflat" is built faster and needs less memory.
            m: hnsw: links of each vector, 2 to 100.
            ef_construction: hnsw: candidates looked at for each link, 4 to 1,000, at least 2 * m.
            lists: ivfflat: clusters, 1 to 32,768; None: a thousandth of the vectors, at least 10, and above a million
                vectors the root of their number.
            quantization: "binary": index one bit a component, and rank the candidates by the whole vector.
            progress: Called with (phase, done, total) about four times a second, by way of a second connection; in the
                sync face from another thread.
            space: The id of a space of the collection; None: the active one.

        Returns:
            The index as it is now.

        Raises:
            NotFound: There is no such collection or space.
            InvalidInput: A value is outside what pgvector takes.
            LimitExceeded: The database has `Settings.max_indexes` already.
            PermissionDenied: The role does not own the table.
            UsageError: Inside a unit of work, or on SQLite, where every search is exact.
        """
        asked = indexes.check_spec(method, m, ef_construction, lists, quantization)
        found = self._indexes
        self._refuse_in_unit("create_index")
        chosen = self._choose(collection, space)
        rows = self._fetch(statements.count_vectors(self._tenant, chosen.id))
        builder = Builder(self._access, found, progress)
        builder.build(chosen, asked, indexes.completed(asked, rows[0]))
        self._forget(collection)
        return self.index_status(collection, space=chosen.id)

    def drop_index(self, collection: str, *, space: UUID | str | None = None) -> bool:
        """Drop a space's index; searches are then exact. Runs outside any transaction and waits for those under way.

        Args:
            collection: The collection's name.
            space: The id of a space of the collection; None: the active one.

        Returns:
            False if there was none.
        """
        chosen = self._choose(collection, space)
        self._refuse_in_unit("drop_index")
        dropped = Builder(self._access, self._indexes).drop(chosen.id)
        self._forget(collection)
        return dropped

    def index_status(self, collection: str, *, space: UUID | str | None = None) -> IndexStatus:
        """Say what index a space has, as the database's own catalogue has it.

        Args:
            collection: The collection's name.
            space: The id of a space of the collection; None: the active one.

        Raises:
            NotFound: There is no such collection or space.
        """
        chosen = self._choose(collection, space)
        found = None
        if self._backend.indexes is not None:
            query = self._backend.indexes.find(self._access.settings.schema, chosen.id)
            found = self._first(query)
        rows = self._fetch(statements.count_vectors(self._tenant, chosen.id))
        return indexes.status(chosen, found, rows[0])

    def ensure_index(self, collection: str, *, progress: IndexProgress | None = None) -> IndexStatus | None:
        """Build the active space's index if it has more vectors than `Settings.index_above` and no index, or repair it.

        `documents.load` does this by itself. The index is hnsw with the usual values.

        Returns:
            The index that was built; None if there was nothing to do, or the database has no such indexes.

        Raises:
            LimitExceeded, PermissionDenied, UsageError: As for `create_index`.
        """
        above, name = self._access.settings.index_above, collection_name(collection)
        if above is None or self._backend.indexes is None:
            return None
        within = self._first(statements.collection_by_name(self._tenant, name))
        if within is None or within.space is None or within.space.index_state == "ready":
            return None
        query = statements.count_vectors_to(self._tenant, within.space.id, above + 1)
        if (self._fetch(query))[0] <= above:
            return None
        there = self._first(self._backend.indexes.find(self._access.settings.schema, within.space.id))
        if there is not None and there.running is not None:
            return None
        return self.create_index(name, progress=progress)

    def repair_indexes(self, *, progress: IndexProgress | None = None) -> tuple[IndexStatus, ...]:
        """Make all of the tenant's indexes what they should be.

        An index that a failed or killed build has left behind, or that somebody has dropped by hand, is built anew; one
        that is complete but not recorded as such is recorded. Indexes of deleted collections are dropped.

        Returns:
            The indexes that were not right, as they are now.
        """
        self._refuse_in_unit("repair_indexes")
        found = self._indexes
        self.drop_unused_indexes()
        builder = Builder(self._access, found, progress)
        repaired = [builder.repair(space) for space in self._fetch(statements.all_spaces(self._tenant))]
        self._access.catalog.clear()
        return tuple(status for status in repaired if status is not None)

    def drop_unused_indexes(self) -> int:
        """Drop the empty indexes that collections leave behind which are deleted inside a unit of work.

        Gives the number of indexes dropped. Those of another role are left to it.
        """
        self._refuse_in_unit("drop_unused_indexes")
        if self._backend.indexes is None:
            return 0
        schema = self._access.settings.schema
        with self._access.autocommitting() as work:
            unused = work.fetch(self._backend.indexes.unused(schema))
            for space_id in unused:
                work.execute(self._backend.indexes.drop(schema, space_id).statement)
        return len(unused)

    def set_effort(self, collection: str, effort: int | None) -> EmbeddingSpace:
        """Set how many candidates the active space's index looks at where a search does not say.

        More find more of the true nearest and take longer; `measure_recall` shows by how much. One row is written.

        Args:
            collection: The collection's name.
            effort: hnsw: `ef_search`; ivfflat: `probes`; 1 to 1,000. None: as many as a search needs.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: It is out of range, or the collection has no active space.
        """
        name = collection_name(collection)
        if effort is not None:
            border.limit(effort, field="effort", maximum=indexes.MAX_EFFORT)
        with self._access.writing() as work:
            space = work.steps(lifecycle.choose_space(self._tenant, name, None))
            write = statements.update_space(self._tenant, space.id, {"search_effort": effort})
            work.execute(write.statement)
            changed = work.steps(lifecycle.find_space(self._tenant, space.id))
        self._forget(collection)
        return changed

    def measure_recall(
        self,
        collection: str,
        *,
        sample: int = 100,
        limit: int = 10,
        wanted: float = 0.95,
        space: UUID | str | None = None,
    ) -> RecallReport:
        """Compare an index's answers with exact ones, for stored vectors chosen at random, and find the effort to set.

        Each sampled vector is searched for once by a scan of the whole space and once for each effort, from the least
        on, until the present effort and the wanted recall are reached. On a space of 200,000 vectors a scan takes about
        half a second, so 100 of them take a minute. Nothing is written.

        Args:
            collection: The collection's name.
            sample: How many vectors to search for, 1 to 1,000.
            limit: How many nearest to ask for, 1 to 100.
            wanted: The recall to reach, above 0 to 1.
            space: The id of a space of the collection; None: the active one.

        Returns:
            The recall at the present effort, and the least effort that reaches `wanted`. Without an index, recall is 1.
            Of equally near vectors any counts as found.

        Raises:
            UsageError: Inside a unit of work: the planner's settings change until the transaction ends.
        """
        rows = border.limit(sample, field="sample", maximum=1000)
        nearest = border.limit(limit, maximum=100)
        if not 0 < wanted <= 1:
            raise InvalidInput("must be above 0 and at most 1", field="wanted")
        self._refuse_in_unit("measure_recall")
        chosen = self._choose(collection, space)
        found = self._backend.indexes
        there = None if found is None else self._first(found.find(self._access.settings.schema, chosen.id))
        if found is None or there is None or not there.valid:
            return recall.exact_report(chosen, 0, nearest)
        trial = Trial(found, self._access.settings.schema, self._tenant, chosen, there.spec, nearest)
        with self._access.writing() as work:
            exact = trial.scan(work, rows)
            if not exact:
                return recall.exact_report(chosen, 0, nearest)
            present = recall.present_effort(chosen, there.spec, nearest)
            measured: list[RecallPoint] = []
            for effort in recall.efforts(there.spec, present):
                measured.append(trial.measure(work, exact, effort))
                if effort >= present and any(point.recall >= wanted for point in measured):
                    break
        return recall.report(chosen, measured, sample=len(exact), limit=nearest, present=present, wanted=wanted)

    @property
    def _indexes(self) -> VectorIndexes:
        if self._backend.indexes is None:
            raise UsageError(f"{self._backend.name} has no approximate indexes: every search is exact there")
        return self._backend.indexes

    def _refuse_in_unit(self, call: str) -> None:
        if not self._access.one_shot:
            raise UsageError(f"{call} cannot be part of a transaction: use store.spaces, outside any unit of work")

    def _forget(self, collection: str) -> None:
        self._access.catalog.pop((self._tenant, collection), None)

    def _choose(self, collection: str, space: UUID | str | None) -> EmbeddingSpace:
        name = collection_name(collection)
        space_id = None if space is None else parse_id(space, field="space")
        return self._access.read(lambda: lifecycle.choose_space(self._tenant, name, space_id))


def autoindex(access: Access[CorpusBackend], collection: str) -> RagstoreError | None:
    """Build a collection's index after a load, if that is due; gives what kept it from being built.

    What was loaded is stored, so this must not fail: a role that does not own the table, say, may load all the same.
    """
    if not access.one_shot:
        return None
    try:
        Indexing(access).ensure_index(collection)
    except RagstoreError as error:
        return error
    return None
