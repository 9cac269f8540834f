"""The figures as a table to read: plain text or Markdown."""

from dataclasses import dataclass

from benchmarks.measure import PACED_EVENTS, Figures
from benchmarks.payloads import PACE_MS
from benchmarks.subjects import DIRECT, GATEWAY
from benchmarks.tabulated import aligned
from benchmarks.tabulated import markdown as as_markdown


@dataclass(frozen=True, slots=True)
class Row:
    figure: str
    label: str
    decimals: int = 0


ROWS = (
    Row("p50_us", "p50 at concurrency 1, one core, µs"),
    Row("added_p50_us", "added p50 at concurrency 1, one core, µs"),
    Row("cpu_us", "CPU per request at 16, µs"),
    Row("req_s_1", "requests a second at 1, one core"),
    Row("req_s_16", "requests a second at 16"),
    Row("req_s_64", "requests a second at 64"),
    Row("short_first_us", "20-event stream: added time to first byte, µs"),
    Row("short_total_us", "20-event stream: added total, µs"),
    Row("long_total_ms", "1,000-event stream: added total, ms (= µs an event)", 2),
    Row(
        "paced_event_cpu_us",
        f"{PACED_EVENTS} events {PACE_MS} ms apart, many streams: CPU µs each",
        1,
    ),
    Row("import_ms", "import, ms"),
    Row("cold_ms", "spawn to first answer, ms"),
    Row("rss_start_mb", "RSS after the first answers, MB", 1),
    Row("rss_end_mb", "RSS after the load, MB", 1),
)


def table(figures: Figures, names: list[str], *, markdown: bool) -> str:
    floors = [name for name in names if name not in (DIRECT, GATEWAY)]
    compared = floors if GATEWAY in names else []
    header = ["", *names, *(f"{GATEWAY} ÷ {floor}" for floor in compared)]
    rows = [header] + [
        [
            row.label,
            *(_shown(figures.median(row.figure, name), row.decimals) for name in names),
            *(_shown(_ratio(figures, row.figure, floor), 2) for floor in compared),
        ]
        for row in ROWS
    ]
    return as_markdown(rows) if markdown else aligned(rows)


def _ratio(figures: Figures, figure: str, floor: str) -> float | None:
    ours, theirs = figures.median(figure, GATEWAY), figures.median(figure, floor)
    # A floor within the noise of a direct call is nothing to divide by.
    return ours / theirs if ours is not None and theirs is not None and theirs > 0 else None


def _shown(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"
