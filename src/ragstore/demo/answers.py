"""Answering a question from what a search finds, and remembering that it was asked."""

from __future__ import annotations

import re
import textwrap
import time
from dataclasses import dataclass

from ragstore import SearchHit, SearchHits, Store
from ragstore.demo.embedding import Embedder

COLLECTION = "python-stdlib"
THREAD = "demo"
NOTHING = "Nothing in the documentation fits this question."
LENGTH = 300
"""Characters after which an answer begins no further sentence."""

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+")
_BLANK_LINES = re.compile(r"\n\s*\n")
_UNDERLINE = re.compile(r"^\s*[-=~^*]{3,}\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its answer.

    Attributes:
        text: The first sentences of the best passage.
        hits: The passages that were found, best first.
        seconds: How long the search took, the question's vector included.
    """

    question: str
    text: str
    hits: SearchHits
    seconds: float


def ask(store: Store, collection: str, embedder: Embedder, question: str, *, limit: int) -> Answer:
    """Search by words and by vector, answer with the best passage, and record the exchange with its sources.

    Vectors that know spelling alone count less than words; those of a model count as much.
    """
    start = time.perf_counter()
    vector = embedder([question])[0]
    weights = (0.3, 1.0) if embedder.built_in else (1.0, 1.0)
    hits = store.chunks.search(collection, text=question, embedding=vector, limit=limit, weights=weights)
    seconds = time.perf_counter() - start
    text = first_sentences(passage(hits[0])) if hits else NOTHING
    store.conversations.record_exchange(
        thread_id=THREAD, query=question, response=text, sources=hits, response_time=seconds
    )
    return Answer(question, text, hits, seconds)


def passage(hit: SearchHit) -> str:
    """Give a hit's text without the name that it begins with."""
    return hit.content.removeprefix(hit.heading or "").strip()


def first_sentences(text: str, length: int = LENGTH) -> str:
    """Give whole sentences from the beginning until they are long enough; a very long one is cut.

    Examples of code and lines under headings are left out, unless there is nothing else.
    """
    paragraphs = (paragraph.partition(">>>")[0] for paragraph in _BLANK_LINES.split(text))
    prose = _UNDERLINE.sub("", "\n".join(paragraphs))
    taken = ""
    for sentence in _SENTENCE_END.split(" ".join((prose if prose.strip() else text).split())):
        if taken and len(taken) + len(sentence) > length:
            break
        taken = f"{taken} {sentence}".strip()
    return textwrap.shorten(taken, 2 * length, placeholder=" …")
