"""BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond").

The score of a document for a query is the sum, over the query's terms, of `idf` times `weight`. The weight is the
document's part: it is stored in its sparse vector. The idf is the query's part, from the collection's statistics at
the time of asking, so the two are kept apart and the score is their inner product.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

from ragstore.core.text import term_id

if TYPE_CHECKING:
    from ragstore.core.text import Terms

K1: Final = 1.2
"""How fast repetitions of a term stop to count; a weight stays below K1 + 1."""
B: Final = 0.75
"""How much a document's length counts, from 0 to 1."""
DRIFT: Final = 0.05
"""By how much, relative to the old one, the average length may change before the stored weights are written anew."""


def idf(df: int, count: int) -> float:
    """Weigh a term by how rare it is: ln(1 + (count - df + 0.5) / (df + 0.5)).

    Args:
        df: How many documents of the collection hold the term.
        count: How many documents the collection has. Where it is the staler figure and below `df`, `df` is taken.

    Returns:
        More than 0, also for a term that every document holds.
    """
    return log(1 + (max(count, df) - df + 0.5) / (df + 0.5))


def weight(tf: int, length: int, average_length: float) -> float:
    """Weigh a term in a document: tf (k1 + 1) / (tf + k1 (1 - b + b length / average_length)).

    Args:
        tf: How often the term occurs in the document.
        length: The document's number of words, as `Terms.length` counts them.
        average_length: The collection's mean of that. Where it is 0 (nothing is known yet), the document counts as
            one of average length.

    Returns:
        From 0 (the term does not occur) to below K1 + 1.
    """
    return tf * (K1 + 1) / (tf + _norm(length, average_length))


def weights(terms: Terms, average_length: float) -> dict[int, float]:
    """Make a document's sparse vector.

    Args:
        terms: The analysed document.
        average_length: As for `weight`.

    Returns:
        The weight by term id, ascending; the weights of lexemes that share an id are summed.
    """
    norm = _norm(terms.length, average_length)
    found: dict[int, float] = {}
    for lexeme, tf in terms.frequencies.items():
        term = term_id(lexeme)
        found[term] = found.get(term, 0.0) + tf * (K1 + 1) / (tf + norm)
    return dict(sorted(found.items()))


def drifted(old: float, new: float) -> bool:
    """Tell whether the average length has changed so much that the stored weights are due for a new generation.

    Args:
        old: The average length that the stored weights were made with.
        new: The collection's average length now.

    Returns:
        True if they differ by more than a twentieth of the old one; from 0, by anything.
    """
    return abs(new - old) > DRIFT * old


def _norm(length: int, average_length: float) -> float:
    relative = length / average_length if average_length > 0 else 1.0
    return K1 * (1 - B + B * relative)
