"""The figures as one picture of eighteen panels."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from bench.report import number
from bench.results import Figure, Results

_OURS, _BARE, _TARGET = "#2b6cb0", "#b8c2cc", "#c05621"


def write(results: Results, path: Path) -> None:
    """Write a PNG. A panel whose figures were not measured says so. Raises OSError."""
    matplotlib.use("agg")
    canvas = Canvas(figsize=(13, 24), layout="constrained")
    panels = canvas.subplots(6, 3)
    _bars(panels[0][0], "Submit, calls/s by callers", _plotted(results, "submit"))
    _bars(panels[0][1], "SubmitBatch, jobs/s by size", _plotted(results, "batch"), log=True)
    _bars(panels[0][2], "End to end, jobs/s by slots", _plotted(results, "end to end"))
    live = [figure for figure in _plotted(results, "events") if figure.name.endswith("live")]
    _bars(panels[1][0], "Events/s in all, live, by subscribers", live, log=True)
    claims = [figure for figure in _plotted(results, "change") if figure.name.endswith("p99")]
    _bars(panels[1][1], "Finish and claim, p99 in µs, by jobs waiting", claims, compare=False)
    _bars(panels[1][2], "Server memory in MiB, by jobs waiting", _plotted(results, "memory"))
    claims = [figure for figure in _plotted(results, "blocked") if _is_change(figure)]
    _bars(panels[2][0], "Finish and claim, p99 in µs, by jobs BLOCKED", claims, compare=False)
    releases = [figure for figure in _plotted(results, "release") if figure.name.endswith("p50")]
    _bars(panels[2][1], "Release, p50 in µs, by jobs that wait for it", releases, compare=False)
    batches = _plotted(results, "dag")
    _bars(panels[2][2], "SubmitBatch of 1,000 in ms, by dependencies of each", batches, compare=False)
    rates = _plotted(results, "row by row")
    _bars(panels[3][0], "Jobs/s by servers on one PostgreSQL; grey: a statement a job", rates)
    _bars(panels[3][1], "PostgreSQL's processor, µs/job, by servers; grey as before", _plotted(results, "database"))
    waits = _plotted(results, "head")
    _bars(panels[3][2], "A change's wait for the others, ms, by servers", waits, compare=False)
    _bars(panels[4][0], "Jobs/s on 8 slots, by where they run", _plotted(results, "workers"), compare=False)
    starts = _plotted(results, "worker start")
    _bars(panels[4][1], "Submit → handler called, p50 in ms, by where and jobs at once", starts, compare=False)
    _bars(panels[4][2], "A job in a process, ms; grey: on a thread", _plotted(results, "isolation"))
    spinning = _plotted(results, "spinning")
    _bars(panels[5][0], "Submit while all slots compute, p99 in ms", spinning, compare=False, log=True)
    _bars(panels[5][1], "Submit by 32 callers, calls/s", _plotted(results, "languages, submit"))
    _bars(panels[5][2], "Events/s, catching up", _plotted(results, "languages, stream"), log=True)
    canvas.suptitle(
        "slotd (blue) and a bare gRPC server with no work (grey, if not said otherwise); the line is the target"
    )
    canvas.savefig(path, dpi=100)


def _is_change(figure: Figure) -> bool:
    return figure.name.startswith("finish") and figure.name.endswith("p99")


def _plotted(results: Results, group: str) -> list[Figure]:
    return [figure for figure in results.group(group) if figure.x is not None]


def _bars(axes: Axes, title: str, figures: Sequence[Figure], *, compare: bool = True, log: bool = False) -> None:
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    if not figures:
        axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
        return
    places = range(len(figures))
    paired = compare and any(figure.bare is not None for figure in figures)
    width = 0.4 if paired else 0.6
    shift = width / 2 if paired else 0.0
    ours = axes.bar([place - shift for place in places], [figure.value for figure in figures], width, color=_OURS)
    axes.bar_label(ours, [number(figure.value) for figure in figures], fontsize=8)
    if paired:
        bare = axes.bar(
            [place + shift for place in places], [figure.bare or 0 for figure in figures], width, color=_BARE
        )
        axes.bar_label(bare, [number(figure.bare or 0) for figure in figures], fontsize=8)
    for place, figure in zip(places, figures, strict=True):
        limit = _limit(figure)
        if limit is not None:
            axes.hlines(limit, place - 0.45, place + 0.45, color=_TARGET)
    if log:
        axes.set_yscale("log")
    names = [figure.x if isinstance(figure.x, str) else f"{figure.x:,.0f}" for figure in figures]
    axes.set_xticks(list(places), names, fontsize=8)


def _limit(figure: Figure) -> float | None:
    if figure.target is None:
        return None
    return figure.target.limit * ((figure.bare or 0) if figure.target.of == "ratio" else 1)
