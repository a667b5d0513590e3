"""`langscape status`: how far a run is, who works on it, what it took so far; from any machine that sees the run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from langvec.errors import InputError
from ray_jobs.lock import holder
from ray_jobs.store import RECIPE, Store
from ray_jobs.watching.costs import Cost, costs_of, sum_of
from ray_jobs.watching.standing import StageStanding, Standing

COLUMNS = ("stage", "pieces", "done", "failed", "repeats", "work s", "CPU s", "GPU s", "")


def status(uri: str) -> list[str]:
    store = Store.open(uri)
    if store.read(RECIPE) is None:
        raise InputError(f"--run {uri} is no run yet. Expected a run directory that a command of langscape has begun.")
    standing = Standing.load(store)
    costs = {cost.stage: cost for cost in costs_of(r for r in store.records().values() if not r.damage)}
    claim = holder(store)
    lines = [f"{store.uri}: {_who(claim, standing)}", "", *_table(standing, costs, bool(claim))]
    return lines + (list(_details(standing, bool(claim))) if standing else [])


def _who(claim: Mapping[str, Any] | None, standing: Standing | None) -> str:
    """Who works on it, or how the last one ended."""
    if claim:
        job = f" as job {standing.job}" if standing and standing.job else ""
        return f"at work is process {claim['pid']} on {claim['host']}{job} (since {claim['since']})"
    if standing is None:
        return "nobody is at work, and no command has said how far it came"
    at = f"at {_clock(standing.told)}"
    if standing.state == "ended" and not standing.failures:
        return f"nobody is at work; the last command came to its end {at}"
    how = {"running": "was killed", "stopped": "was stopped", "ended": "ended with failures"}[standing.state]
    return f"nobody is at work; the last command {how} {at}, and run again goes on where it stopped"


def _table(standing: Standing | None, costs: Mapping[str, Cost], at_work: bool) -> Iterator[str]:
    stages = standing.stages if standing else [StageStanding(c.stage, c.pieces, c.pieces) for c in costs.values()]
    rows = [_row(stage, costs.get(stage.name, Cost(stage.name)), standing, at_work) for stage in stages]
    whole = sum_of([*costs.values()])
    rows.append(("all", f"{whole.pieces:,}", "", "", *_took(whole), ""))
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for name, *cells, note in (COLUMNS, *rows):
        numbers = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:-1], strict=True))
        yield f"{name:<{widths[0]}}  {'  '.join(numbers)}  {note}".rstrip()


def _row(stage: StageStanding, cost: Cost, standing: Standing | None, at_work: bool) -> tuple[str, ...]:
    """Pieces of earlier recipes that lie in the run cost, but do not count as done."""
    counts = (
        f"{stage.total:,}" if stage.total else "?",
        f"{stage.done:,}",
        f"{stage.failed:,}" if stage.failed else "",
    )
    return (stage.name, *counts, *_took(cost), _note(stage, standing, at_work))


def _took(cost: Cost) -> tuple[str, ...]:
    return (f"{cost.repeats:,}", f"{cost.wall_s:,.0f}", f"{cost.cpu_s:,.0f}", f"{cost.gpu_s:,.0f}")


def _note(stage: StageStanding, standing: Standing | None, at_work: bool) -> str:
    if standing is None or stage.ended:
        return ""
    if stage.began is None:
        return "to come"
    end = stage.expected_end(standing.told) if at_work else None
    return f"until about {_clock(end)}" if end else "begun"


def _details(standing: Standing, at_work: bool) -> Iterator[str]:
    """What runs, waits and has failed, as the command at work has last told, seconds ago."""
    if standing.running and at_work:
        more = standing.running_in_all - len(standing.running)
        told = [f"  {one.piece} on {one.host}, {_span(standing.told - one.since)}" for one in standing.running]
        yield from ("", f"running at {_clock(standing.told)}:", *told, *([f"  and {more} more"] if more else []))
    if standing.queued and at_work:
        yield f"waiting for a place: {standing.queued:,}"
    if standing.failures:
        yield from ("", "failed:", *(f"  {failure.piece}: {failure.said}" for failure in standing.failures))


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
