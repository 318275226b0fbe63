"""The documentation's page: its tables and plots are written from the figures, so that they are never older.

A page has places `<!-- measured: NAME -->` ... `<!-- end measured -->`; what stands between is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.chart import Line, Panel, draw

Row = dict[str, Any]

# What must hold: ours over the floor's p50, at most.
GOALS = {
    ("postgresql", "load, a chunk"): 1 / 0.75,
    ("postgresql", "vector search"): 1.25,
    ("postgresql", "vector search, filter 1 %"): 1.3,
    ("postgresql", "vector search, four threads"): 1 / 0.75,
    ("postgresql", "vector search, async"): 1.5,
    ("sqlite", "vector search"): 1.3,
    ("sqlite", "vector search, async"): 1.5,
}
BUSY = 0.2
PANELS = (
    ("load, a chunk", ""),
    ("vector search", "exact"),
    ("vector search", "hnsw"),
    ("vector search, filter 1 %", "exact"),
    ("vector search, filter 1 %", "hnsw"),
    ("text search, seven words", ""),
    ("hybrid search", "exact"),
    ("hybrid search", "hnsw"),
)


def write(source: Path, page: Path) -> None:
    """Write the measured parts of the page, and the plots beside it."""
    measured = figures.read(source)
    text = page.read_text(encoding="utf-8")
    for name, tables in PARTS.items():
        section = name.split()[0]
        if section in measured:
            text = _put(text, name, "\n".join(tables(measured[section])).strip())
    for database, panels in _charts(measured.get("run", {"rows": []})["rows"]).items():
        page.with_name(_file(database)).write_text(draw(panels), encoding="utf-8")
    page.write_text(text, encoding="utf-8")


def _put(text: str, name: str, measured: str) -> str:
    place = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end measured -->)", re.DOTALL)
    return place.sub(lambda found: f"{found[1]}\n{measured}\n\n{found[2]}", text)


def _about(section: dict[str, Any]) -> str:
    about, rows = section["about"], section["rows"]
    cores = {1: "one core", 2: "two cores", 4: "four cores"}.get(about["cores"], f"{about['cores']} cores")
    parts = [f"Measured on {about['date']}, {cores}, Python {about['python']}"]
    parts += [f"{of} {about[key]}" for key, of in VERSIONS if key in about]
    sizes = sorted({row["size"] for row in rows if "size" in row})
    if sizes:
        parts.append(f"{about.get('data', '')} data of {' and '.join(f'{size:,}' for size in sizes)} chunks".strip())
    busy = about.get("busy") or 0.0
    warning = f" **{busy:.0%} of the machine was taken by other work: these times tell nothing.**"
    return ", ".join(parts) + "." + (warning if busy > BUSY and any(map(_is_timed, rows)) else "")


def _is_timed(row: Row) -> bool:
    return "measure" not in row  # a ranking is the same on a busy machine


VERSIONS = (("postgresql", "PostgreSQL"), ("pgvector", "pgvector"), ("shared_buffers", "shared_buffers"), ("sqlite", "SQLite"))  # fmt: skip


# ------------------------------------------------------------------------------------------------------- the tables


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "---:") -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---", *[align] * (len(head) - 1)], *rows)]


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return ""
    value = seconds * 1e3
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _name(row: Row) -> str:
    return f"{row['job']} ({row['index']})" if row["index"] else row["job"]


def _ratio(row: Row) -> float:
    ratio: float = row["ours"]["p50"] / row["floor"]["p50"]
    return ratio


def _run(section: dict[str, Any]) -> Iterator[str]:
    head = (
        "job",
        "chunks",
        "ours p50, ms",
        "p95",
        "floor p50, ms",
        "p95",
        "ratio",
        "goal",
        "growth of ours",
        "of floor",
    )
    head = (*head, "recall", "of floor", "round trips", "the floor's plan")
    yield from (_about(section), "")
    charts = _charts(section["rows"])
    for database in dict.fromkeys(row["database"] for row in section["rows"]):
        rows = [row for row in section["rows"] if row["database"] == database]
        yield from (f"### {_title(database)}", "")
        if database in charts:
            yield from (f"![{_title(database)}: milliseconds over the number of chunks]({_file(database)})", "")
        yield from (*_table(head, _with_growth(rows)), "", *_load_against_put(rows))


def _title(database: str) -> str:
    return {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[database]


def _with_growth(rows: Sequence[Row]) -> list[list[str]]:
    cells = []
    for name in dict.fromkeys(map(_name, rows)):
        of_job = sorted((row for row in rows if _name(row) == name), key=lambda row: row["size"])
        for row in of_job:
            growth = [row[who]["p50"] / of_job[0][who]["p50"] for who in ("ours", "floor")]
            cells.append(_cells(row, growth if row is not of_job[0] else [None, None]))
    return cells


def _cells(row: Row, growth: Sequence[float | None]) -> list[str]:
    goal = GOALS.get((row["database"], row["job"]))
    ratio = _number(_ratio(row))
    return [
        _name(row),
        f"{row['size']:,}",
        *(_ms(row[who][which]) for who in ("ours", "floor") for which in ("p50", "p95")),
        f"**{ratio}**" if goal is not None and _ratio(row) > goal else ratio,
        _number(goal),
        *(_number(value, 1) for value in growth),
        *(_number(row[recall], 3) for recall in ("recall", "floor_recall")),
        _number(row["round_trips"], 1),
        row["plan"],
    ]


def _load_against_put(rows: Sequence[Row]) -> Iterator[str]:
    loads = {row["size"]: row["ours"]["p50"] for row in rows if row["job"].startswith("load")}
    again = {row["size"]: row["ours"]["p50"] for row in rows if row["job"].startswith("put again")}
    for size in sorted(loads.keys() & again.keys()):
        yield (
            f"At {size:,} chunks, loading makes {1 / loads[size]:,.0f} chunks a second, and putting the same again"
            f" {1 / again[size]:,.0f}: {loads[size] / again[size]:.1f} times as many (goal: 3).\n"
        )


def _corpus(section: dict[str, Any]) -> Iterator[str]:
    yield from (_about(section), "")
    databases = list(dict.fromkeys(row["database"] for row in section["rows"]))
    facts: dict[str, dict[str, Row]] = {}
    for row in section["rows"]:
        facts.setdefault(row["fact"], {})[row["database"]] = row
    head = ("", *(_title(database) for database in databases))
    yield from _table(head, [[fact, *(_fact(of.get(name)) for name in databases)] for fact, of in facts.items()])


def _fact(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return ""
    value = f"{row['value']:,.0f}" if row["value"] >= 100 else f"{row['value']:.3g}"
    p95 = f" (p95 {row['p95']:.3g})" if row.get("p95") else ""
    return f"{value} {row['unit']}{p95}".strip()


def _quality(section: dict[str, Any]) -> Iterator[str]:
    yield from (_about(section), "")
    measures = list(dict.fromkeys(row["measure"] for row in section["rows"]))
    found: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in section["rows"]:
        of_mode = found.setdefault((row["collection"], row["mode"]), {})
        of_mode.setdefault(_title(row["database"]), {})[row["measure"]] = row["value"]
        of_mode.setdefault("published", {})[row["measure"]] = row["baseline"]
    rows = []
    for (collection, mode), of_mode in found.items():
        for who in sorted(of_mode, key=lambda who: who != "published"):
            values = (_number(of_mode[who][measure], 4) for measure in measures)
            rows.append([f"{collection}, {mode}", who, *values])
    yield from _table(("collection, mode", "by", *measures), rows)


def _peers(section: dict[str, Any]) -> Iterator[str]:
    yield from (_about(section), "")
    head = ["", "chunks", "load, chunks/s", "index, s", "search p50, ms", "p95", "recall", "round trips"]
    head += [
        "1 % filter p50, ms",
        "rows of 10",
        "recall",
        "with iterative scan: p50",
        "rows",
        "recall",
        "hybrid p50, ms",
    ]
    rows = [
        [
            row["peer"],
            f"{row['size']:,}",
            f"{row['load']:,.0f}",
            _number(row["index"], 1) if row["index"] > 0.05 else "",
            _ms(row["search_p50"]),
            _ms(row["search_p95"]),
            _number(row["search_recall"], 3),
            _number(row.get("round_trips"), 1),
            *(_of_filter(row, "filter")),
            *(_of_filter(row, "iterative")),
            _ms(row.get("hybrid_p50")),
        ]
        for row in section["rows"]
    ]
    yield from _table(head, rows)


def _of_filter(row: Row, what: str) -> list[str]:
    return [_ms(row.get(f"{what}_p50")), _number(row.get(f"{what}_rows"), 1), _number(row.get(f"{what}_recall"), 3)]


def _setups(section: dict[str, Any]) -> Iterator[str]:
    of_peer = {row["peer"]: row for row in section["rows"]}
    yield from _table(
        ("", "version", "set up"), [[name, row["version"], row["setup"]] for name, row in of_peer.items()]
    )


def _together(section: dict[str, Any]) -> Iterator[str]:
    head = (
        "",
        "clients",
        "by",
        "p50, ms",
        "p95, ms",
        "p50 over the bare one's",
        "a second",
        "rate over the bare one's",
    )
    yield from (_about(section), "")
    floors = {_task(row): row for row in section["rows"] if row["peer"].startswith("bare")}
    for database in dict.fromkeys(row["database"] for row in section["rows"]):
        cells = [
            [
                _task(row)[1],
                str(row["clients"]),
                row["peer"],
                _ms(row["p50"]),
                _ms(row["p95"]),
                _number(row["p50"] / floors[_task(row)]["p50"]),
                f"{row['rate']:,.0f}",
                _number(row["rate"] / floors[_task(row)]["rate"]),
            ]
            for row in section["rows"]
            if row["database"] == database
        ]
        yield from (f"### {_title(database)}", "", *_table(head, cells), "")


def _task(row: Row) -> tuple[str, str, int]:
    return row["database"], row.get("job") or row["keys"], row["clients"]


def _conversations(section: dict[str, Any]) -> Iterator[str]:
    head = ("", "by", "p50, ms", "p95, ms", "p50 over the bare one's", "round trips")
    yield from (_about(section), "")
    for database in dict.fromkeys(row["database"] for row in section["rows"]):
        rows = [row for row in section["rows"] if row["database"] == database]
        cells = [
            [
                row["job"],
                row["peer"],
                *(_ms(row[which]) for which in ("p50", "p95")),
                _number(row["ratio"]),
                _number(row["round_trips"], 1),
            ]
            for row in sorted(rows, key=lambda row: [other["job"] for other in rows].index(row["job"]))
        ]
        yield from (f"### {_title(database)}, {rows[0]['messages']:,} messages", "", *_table(head, cells), "")


def _upgrades(section: dict[str, Any]) -> Iterator[str]:
    yield from (_about(section), "")
    for database in dict.fromkeys(row["database"] for row in section["rows"]):
        cells = [
            [row["peer"], _ms(row["p50"]), _ms(row["p95"]), _number(row["of_alembic"], 3)]
            for row in section["rows"]
            if row["database"] == database
        ]
        yield from (f"### {_title(database)}", "", *_table(("", "p50, ms", "p95, ms", "of Alembic's"), cells), "")


PARTS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "run": _run,
    "corpus": _corpus,
    "quality": _quality,
    "peers": _peers,
    "peers set-up": _setups,
    "limits": _together,
    "sessions": _together,
    "conversations": _conversations,
    "upgrades": _upgrades,
}


# -------------------------------------------------------------------------------------------------------- the plots


def _charts(rows: Sequence[Row]) -> dict[str, list[Panel]]:
    """Give each database's charts, if there are two sizes to draw a line between."""
    charts = {database: list(_panels(rows, database)) for database in dict.fromkeys(row["database"] for row in rows)}
    return {database: panels for database, panels in charts.items() if panels}


def _file(database: str) -> str:
    return f"performance-{database}.svg"


def _panels(rows: Sequence[Row], database: str) -> Iterator[Panel]:
    for job, index in PANELS:
        of_job = [row for row in rows if (row["database"], row["job"], row["index"]) == (database, job, index)]
        if len(of_job) >= 2:
            lines = [Line(who, [(row["size"], row[who]["p50"] * 1e3) for row in of_job]) for who in ("floor", "ours")]
            yield Panel(_name(of_job[0]), lines)
