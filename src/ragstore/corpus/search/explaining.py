"""How a search runs: its statements, each with the database's own plan, and how long it took."""

from __future__ import annotations

from time import perf_counter

from ragstore.core.query import Query, Steps
from ragstore.corpus.backend import Answer, CorpusBackend, SearchRequest
from ragstore.corpus.records import ExplainedStatement, SearchExplanation
from ragstore.corpus.search.searching import mode_of, path_of


def explain(backend: CorpusBackend, request: SearchRequest) -> Steps[SearchExplanation | None]:
    """Run a search as it is always run, and before each of its statements ask for its plan.

    None: a collection or its space is no longer what the request says.
    """
    explained: list[ExplainedStatement] = []
    search = backend.search([request])
    try:
        step = next(search)
        while True:
            assert isinstance(step, Query)  # a search only reads
            plan = yield from backend.explain(step)
            started = perf_counter()
            answer = yield step
            explained.append(
                ExplainedStatement(
                    plan=plan.text,
                    indexes=plan.indexes,
                    candidates=plan.candidates,
                    rows=len(answer),
                    milliseconds=(perf_counter() - started) * 1000,
                )
            )
            step = search.send(answer)
    except StopIteration as stop:
        answers: list[Answer] | None = stop.value
    if answers is None:
        return None
    return SearchExplanation(
        mode=mode_of(request),
        path=path_of(request, answers[0]),
        hits=len(answers[0].hits),
        statements=tuple(explained),
    )
