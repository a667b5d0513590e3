"""`langscape sweep entities`: every choice of entities, and what they have to beat, on the samples of a `lem` run.

A trial trains one encoder in one process, both steps, on as many tokens as every other, and judges it. It is a piece of
the run; its encoder is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, Literal, cast, get_args

from langvec.errors import InputError
from masking.encoder import Embedding
from masking.masks import AnyMasks, LemMasks, RandomWordMasks, RareWordMasks, StretchMasks, TokenMasks, WordMasks
from masking.tagging.kinds import Kind
from ray_jobs.chain import run_chain
from ray_jobs.cluster.connection import connected
from ray_jobs.cluster.preflight import preflight
from ray_jobs.judged import judge
from ray_jobs.lem import Plan
from ray_jobs.lem_recipe import UNTOUCHED, Arm, LemRecipe, seeds
from ray_jobs.lem_run import LemRun
from ray_jobs.lock import exclusive
from ray_jobs.outcomes import HEADLINE, Outcome, differences, told
from ray_jobs.report.lem import write_report
from ray_jobs.results import Shelf
from ray_jobs.stages import Desk, Entry, Piece, Place, Record, Survey
from ray_jobs.store import Store
from ray_jobs.task import Task, disk_full_explained
from ray_jobs.training import Training
from ray_jobs.trials import STATE, Sweep, run_trials

FORMAT = 1  # raise when a trial does something else than before
SWEEP = "sweep"  # the stage
STOPPED = ".stopped"  # trials that a scheduler has ended, with the last they told
BASELINE = "mlm"
METRIC = "dev_retrieval"

Grid = Literal["contrasts", "full"]
KINDS: tuple[Kind, ...] = ("NE", "NOUN", "VERB")


def arms_of(grid: Grid) -> dict[str, AnyMasks]:
    """What a sweep tries, by name: kinds, then what is unlike one token a word with random words to fill up."""
    others: dict[str, AnyMasks] = {
        BASELINE: TokenMasks(),
        "whole_word": WordMasks(),
        "span": StretchMasks(),
        "random_word": RandomWordMasks(),
        "rare_word": RareWordMasks(),
    }
    subsets = [subset for size in (1, 2, 3) for subset in combinations(KINDS, size)]
    if grid == "contrasts":
        return others | {_name(how): how for how in _contrasts(subsets)}
    every = [
        LemMasks(kinds=subset, unit=unit, per_entity=many, fill=fill)
        for subset in subsets
        for unit in (("word", "span") if "NE" in subset else ("word",))
        for many in (1, 2, 3, "all")
        for fill in ("random", "none")
    ]
    return others | {_name(how): how for how in every}


def _contrasts(subsets: Sequence[tuple[Kind, ...]]) -> Iterator[LemMasks]:
    """Each choice of kinds; and all kinds with one thing otherwise."""
    yield from (LemMasks(kinds=subset) for subset in subsets)
    yield from (LemMasks(per_entity=many) for many in (2, 3))
    yield LemMasks(unit="span")
    yield LemMasks(fill="none")


def _name(how: LemMasks) -> str:
    parts = ["lem", "+".join(kind.lower() for kind in how.kinds)]
    parts += [str(how.per_entity)] if how.per_entity != 1 else []
    parts += ["span"] if how.unit == "span" else []
    parts += ["nofill"] if how.fill == "none" else []
    return "-".join(parts)


def sweep_entities(
    uri: str, grid: str, only: str | None, count: int | None, stop_weak: bool, address: str | None
) -> list[str]:
    """Run what is missing of the sweep, write its tables, and return the lines to print."""
    chosen = _chosen(grid, only)
    run = _Run.open(uri)
    trials = [
        _trial(run, samples, Arm(name, how, seed))
        for samples in run.samples
        for name, how in chosen.items()
        for seed in (range(run.recipe.seed, run.recipe.seed + count) if count else seeds(run.recipe))
    ]
    store, failed = run.store, dict[str, str]()
    entries = run.entries(trials)
    todo = [entry for entry in entries if entry.state != "done" and not (stop_weak and _stopped(store, entry))]
    with disk_full_explained(store), exclusive(store):
        if todo:
            with connected(address, run.recipe.compute.cpus):
                places = [entry.piece.place for entry in todo]
                preflight(store, places, ("cpus_per_worker", "gpus_per_worker"), address)
                failed = _work(run, todo, len(entries), stop_weak)
            entries = run.entries(trials)
        store.delete_folder(STATE)  # also what a killed sweep has left
        if any(
            entry.state != "done" and entry.piece.name not in failed and not _stopped(store, entry) for entry in entries
        ):
            raise KeyboardInterrupt  # which Tune keeps to itself
        done = sum(entry.state == "done" for entry in entries)
        lines = [f"{done} of {len(entries)} trials finished", *_write(run, [*entries, *run.earlier(trials)])]
        lines += write_report(store, run.done, run.recipe)
    if failed:
        raise InputError("\n".join([*lines, *_explained(failed, len(todo))]))
    return [*lines, f"all done  -> {store.uri}/results/sweep-entities.csv"]


def _chosen(grid: str, only: str | None) -> dict[str, AnyMasks]:
    if grid not in get_args(Grid):
        raise InputError(f"--grid {grid}: expected {' or '.join(get_args(Grid))}.")
    if only is None:
        return arms_of(cast(Grid, grid))
    every, names = arms_of("full"), [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in every]:
        raise InputError(f"--only {', '.join(unknown)}: no such arm. Expected some of {', '.join(every)}.")
    return {name: every[name] for name in names}


@dataclass(frozen=True)
class _Run:
    """A run of `lem` whose samples are there."""

    store: Store
    recipe: LemRecipe
    plan: Plan
    done: Mapping[str, Record]

    @classmethod
    def open(cls, uri: str) -> _Run:
        found = LemRun.open(uri)
        run = cls(found.store, found.recipe, found.plan, found.done)
        if missing := [piece.id for piece in [run.plan.start, *run.samples] if piece.id not in run.done]:
            raise InputError(
                f"--run {uri} lacks {', '.join(missing)}. Expected a run of `langscape lem` that has come so far; "
                f"run it again, it goes on where it stopped."
            )
        return run

    @property
    def samples(self) -> list[Piece]:
        return self.plan.samples(self.done)

    def entries(self, trials: Sequence[Piece]) -> list[Entry]:
        survey = Survey(self.store.records())
        for piece in (self.plan.start, *self.samples):
            survey.finished(piece, self.done[piece.id])
        return survey.entries(trials)

    def earlier(self, trials: Sequence[Piece]) -> list[Entry]:
        """What earlier sweeps have finished and this one was not asked for: it stays in the tables."""
        asked, every = {piece.name for piece in trials}, arms_of("full")
        names = {str(record.meta["name"]) for record in self.store.records().values() if record.meta["stage"] == SWEEP}
        parts = [name.rsplit(".", 2) for name in sorted(names - asked)]
        groups = {samples.name: samples for samples in self.samples}
        known = [(groups[group], arm, int(seed)) for group, arm, seed in parts if group in groups and arm in every]
        found = self.entries([_trial(self, samples, Arm(arm, every[arm], seed)) for samples, arm, seed in known])
        return [entry for entry in found if entry.state == "done"]

    def untouched(self) -> Iterator[Outcome]:
        """The encoder that all start from, where the run has judged it."""
        for samples in self.samples:
            if record := self.done.get(f"judged/{samples.name}.{UNTOUCHED}"):
                yield Outcome(samples.name, UNTOUCHED, self.recipe.seed, record, record.meta["account"]["figures"])


def _trial(run: _Run, samples: Piece, arm: Arm) -> Piece:
    steps, recipe = [run.plan.training(step, arm) for step in run.plan.steps], run.recipe
    config = {"steps": [step.config() for step in steps], "format": FORMAT}
    place = Place(recipe.compute.cpus_per_worker, recipe.compute.gpus_per_worker)
    needs = {"start": run.plan.start, "samples": samples}
    work = partial(_train_and_judge, steps, recipe.embedding)
    return Piece(SWEEP, f"{samples.name}.{arm.id}", work, config, needs=needs, seed=arm.seed, place=place)


def _train_and_judge(steps: Sequence[Training], embedding: Embedding, desk: Desk) -> dict[str, Any]:
    with run_chain(steps, desk) as (accounts, encoder):
        return {"figures": judge(embedding, desk.needed["samples"], encoder, desk.folder), "steps": accounts}


def _work(run: _Run, todo: Sequence[Entry], total: int, stop_weak: bool) -> dict[str, str]:
    folders = {entry.piece.name: entry.folder for entry in todo}

    def stopped(trial: str, last: Mapping[str, Any]) -> None:
        told = {name: value for name, value in last.items() if isinstance(value, int | float | str)}
        run.store.write(f"{STOPPED}/{folders[trial]}", json.dumps(told).encode())

    tasks = {entry.piece.name: Task.of(entry, [], run.store, run.recipe.compute.checkpoint_every_s) for entry in todo}
    sweep = Sweep("entities", todo[0].piece.place, scheduler=_scheduler(run) if stop_weak else None, stopped=stopped)
    return run_trials(run.store, sweep, tasks, total)


def _scheduler(run: _Run) -> Any:
    """Halves the trials again and again by their dev retrieval. Which ones it ends depends on who comes first."""
    from ray.tune.schedulers import ASHAScheduler

    steps = [getattr(run.recipe, step) for step in run.plan.steps]
    return ASHAScheduler(metric=METRIC, mode="max", max_t=sum(step.epochs for step in steps) + 1, reduction_factor=2)


def _stopped(store: Store, entry: Entry) -> dict[str, Any] | None:
    found = store.read(f"{STOPPED}/{entry.folder}")
    return json.loads(found) if found else None


def _write(run: _Run, entries: Sequence[Entry]) -> Iterator[str]:
    """The tables: one row a trial, best first; and one row an arm. The lines that tell of them."""
    shelf, rows, outcomes, every = Shelf(run.store), list[dict[str, Any]](), list(run.untouched()), arms_of("full")
    for entry in entries:
        group, arm, seed = entry.piece.name.rsplit(".", 2)
        row: dict[str, Any] = {"arm": arm, "group": group, "seed": int(seed), "state": entry.state}
        row |= {f"masks_{name}": _plain(value) for name, value in every[arm].model_dump().items()}
        if entry.record:
            account = entry.record.meta["account"]
            outcome = Outcome(group, arm, int(seed), entry.record, account["figures"], account["steps"])
            outcomes.append(outcome)
            row |= _figures(outcome) | outcome.learnt() | {"wall_s": entry.record.meta["cost"]["wall_s"]}
        elif last := _stopped(run.store, entry):
            row |= {"state": "stopped early", "stopped_at_dev_retrieval": last.get(METRIC)}
        rows.append(row)
    rows.sort(key=lambda row: -row.get("recall", -1))
    shelf.table("sweep-entities", rows)
    baseline = BASELINE if any(outcome.arm == BASELINE for outcome in outcomes) else UNTOUCHED
    if compared := differences(run.store, outcomes, baseline):
        shelf.table("sweep-entities-arms", compared)
    yield from told(compared, baseline)


def _figures(outcome: Outcome) -> dict[str, Any]:
    """Recall of each set and pair, and their mean, by which trials are sorted."""
    found = {f"recall_{row['set']}_{row['pair']}": row["value"] for row in outcome.figures if row["metric"] == HEADLINE}
    return {"recall": sum(found.values()) / max(len(found), 1)} | found


def _plain(value: Any) -> Any:
    return "+".join(value) if isinstance(value, tuple | list) else value if not isinstance(value, int) else str(value)


def _explained(failed: Mapping[str, str], tried: int) -> Iterator[str]:
    for trial, why in failed.items():
        yield f"{trial} failed. {why}"
    yield f"{len(failed)} of {tried} trials failed. What is finished stays; the same command tries the others again."
