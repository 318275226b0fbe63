"""Take over what an application of one's own has stored before: its tables become threads, documents and chunks.

See the page "Adopt an existing database" for what becomes of each column.
"""

from ragstore.operations.adoption.records import (
    AdoptedTable,
    AdoptionProgress,
    AdoptionReport,
    Mapping,
    Refusal,
    RowsRefused,
)
from ragstore.operations.adoption.run import adopt

__all__ = [
    "AdoptedTable",
    "AdoptionProgress",
    "AdoptionReport",
    "Mapping",
    "Refusal",
    "RowsRefused",
    "adopt",
]
