"""The retrieval test data: where it is, how it is read, how a ranking is measured.

Each collection ("cranfield", "npl") has documents, queries, judgements and embeddings. It is found through the
environment variable RAGSTORE_DATA, else beside the checkout; a test that asks for it is skipped where it is absent.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

NAMES = ("cranfield", "npl")
MEASURES = ("nDCG@10", "R@10", "R@100", "RR@10")
_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Passage:
    """One document of a test collection."""

    id: str
    title: str
    text: str

    @property
    def content(self) -> str:
        """What all the published figures were measured on."""
        return f"{self.title} {self.text}"


def data_folder(name: str) -> Path:
    """Find a test collection's folder, or skip the test."""
    folder = Path(os.environ.get("RAGSTORE_DATA") or _BESIDE_THE_CHECKOUT) / name
    if not (folder / "corpus.jsonl").is_file():
        pytest.skip(f"no test data {name!r}: set RAGSTORE_DATA to the folder that holds it", allow_module_level=True)
    return folder


def corpus(name: str) -> Iterator[Passage]:
    """Read the documents one by one, in the order of the rows of `embeddings(name, "corpus")`."""
    with (data_folder(name) / "corpus.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield Passage(**json.loads(line))


def queries(name: str) -> dict[str, str]:
    """Give the queries' texts by id, in the order of the rows of `embeddings(name, "queries")`."""
    with (data_folder(name) / "queries.jsonl").open(encoding="utf-8") as lines:
        return {query["id"]: query["text"] for query in map(json.loads, lines)}


def qrels(name: str, file: str = "qrels.tsv") -> dict[str, dict[str, int]]:
    """Give the judgements: by query, the relevance of each judged document."""
    judged: dict[str, dict[str, int]] = {}
    with (data_folder(name) / file).open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            query, document, relevance = line.split("\t")
            judged.setdefault(query, {})[document] = int(relevance)
    return judged


def embeddings(name: str, of: Literal["corpus", "queries"]) -> npt.NDArray[np.float16]:
    """Map the embeddings into memory, without reading them: float16, 384 columns, length 1."""
    vectors: npt.NDArray[np.float16] = np.load(data_folder(name) / f"{of}_emb.npy", mmap_mode="r")
    return vectors


def baseline(name: str, method: str, measure: str = "nDCG@10") -> float:
    """Give a published figure, by the method's key in `baseline.json` (for `qrels.tsv`)."""
    figures = json.loads((data_folder(name) / "baseline.json").read_text(encoding="utf-8"))
    return float(figures["qrels.tsv"][method][measure])


def evaluate(ranking: Mapping[str, Sequence[str]], judged: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Measure rankings as trec_eval does, the mean over all judged queries.

    Args:
        ranking: By query, the ids of the documents found, the best first. A query without any counts as 0.
        judged: What `qrels` gives.

    Returns:
        nDCG@10, R@10, R@100 and RR@10 (trec_eval's names for recall and reciprocal rank).
    """
    import pytrec_eval  # late: only who measures needs it

    # trec_eval orders by score and breaks ties its own way; the negated rank leaves it no ties.
    run = {
        query: {document: -float(rank) for rank, document in enumerate(ranking.get(query) or ("",))} for query in judged
    }
    best = {query: dict(list(found.items())[:10]) for query, found in run.items()}
    plain = {query: dict(relevant) for query, relevant in judged.items()}
    measured = pytrec_eval.RelevanceEvaluator(plain, {"ndcg_cut.10", "recall.10", "recall.100"}).evaluate(run)
    first = pytrec_eval.RelevanceEvaluator(plain, {"recip_rank"}).evaluate(best)
    sums = {name: sum(of[name] for of in measured.values()) for name in ("ndcg_cut_10", "recall_10", "recall_100")}
    values = (*sums.values(), sum(of["recip_rank"] for of in first.values()))
    return {measure: value / len(judged) for measure, value in zip(MEASURES, values, strict=True)}


def ndcg_at_10(ranking: Mapping[str, Sequence[str]], judged: Mapping[str, Mapping[str, int]]) -> float:
    """Give the mean nDCG@10 of rankings; see `evaluate`."""
    return evaluate(ranking, judged)["nDCG@10"]
