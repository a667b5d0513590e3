"""What a job's command does, in order: check, plan, lock, run, say what happened."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from langvec.errors import InputError, TrainingError
from ray_jobs.cluster.connection import connected
from ray_jobs.cluster.preflight import files_in, preflight
from ray_jobs.job import Job, JobRecipe
from ray_jobs.loading import load_recipe
from ray_jobs.lock import exclusive
from ray_jobs.runner import Outcome, walk
from ray_jobs.stages import Entry, Stage, Survey
from ray_jobs.store import RECIPE, Store
from ray_jobs.task import disk_full_explained
from ray_jobs.watching.terminal import visible

SHOWN = 8  # pieces of a stage that a plan names; the others are counted
EXPLAINED = 4  # failures told in full; what fails in many languages has one cause more often than not


def run_job(
    job: Job,
    name: str,
    uri: str,
    settings: Sequence[str],
    plan: bool,
    address: str | None,
    endpoint: str | None,
    report: bool = False,
) -> int:
    """The whole command; returns the exit status."""
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint  # where pyarrow looks for it
    recipe, store = _checked(job, name, settings, uri)
    stages = job.stages(recipe)
    survey = Survey(store.records())
    entries = [entry for stage in stages for entry in survey.entries(stage.of(survey.done))]
    if plan:
        print(visible("\n".join(plan_lines(stages, entries))))
        return 0
    with disk_full_explained(store):
        if all(entry.state == "done" for entry in entries):
            store.write_if_new(RECIPE, recipe.to_yaml().encode())
            print(f"nothing to do: all {len(entries):,} pieces were done before")
            return _summarise(job, store, recipe, Outcome(survey.done), report)
        del survey, entries  # gigabytes in a large run; the walk looks for itself
        return _work(job, store, recipe, stages, address, report)


def _checked(job: Job, name: str, settings: Sequence[str], uri: str) -> tuple[JobRecipe, Store]:
    """The recipe and the run directory; one InputError for the mistakes in both."""
    mistakes, recipe, store = [], None, None
    try:
        recipe = load_recipe(job.recipe, name, settings)
    except InputError as error:
        mistakes.append(str(error))
    try:
        store = Store.open(uri)
        _refuse_foreign(job, store)
    except InputError as error:
        mistakes.append(str(error))
    if mistakes or recipe is None or store is None:
        raise InputError("\n".join(mistakes))
    return recipe, store


def _refuse_foreign(job: Job, store: Store) -> None:
    """A run directory is of one verb: another would take its recipe and its results away."""
    stored = yaml.safe_load(store.read(RECIPE) or b"")
    if isinstance(stored, dict) and not job.owns(stored):
        raise InputError(
            f"--run {store.uri} holds a run of another command{_whose(stored)}. Choose another name for this run of "
            f"`langscape {job.verb}`."
        )


def _whose(stored: Mapping[str, Any]) -> str:
    """Which command a recipe is of, as far as its fields tell."""
    verbs = {
        "seen": "alchemy",
        "data": "sentiment",
        "bitexts": "curate",
        "pairs": "lem",
        "taggers": "tag",
        "models": "entropy2vec",
    }
    return next((f", `langscape {verb}`" for field, verb in verbs.items() if field in stored), "")


def _work(job: Job, store: Store, recipe: JobRecipe, stages: Sequence[Stage], address: str | None, report: bool) -> int:
    with exclusive(store):
        store.sweep()
        store.write_if_new(RECIPE, recipe.to_yaml().encode())
        with connected(address, recipe.compute.cpus):
            places = (piece.place for stage in stages for piece in stage.of({}))
            preflight(store, places, job.shares, address, files_in(yaml.safe_load(recipe.to_yaml())))
            outcome = walk(store, stages, recipe.compute.checkpoint_every_s)
        return _summarise(job, store, recipe, outcome, report)


def plan_lines(stages: Iterable[Stage], entries: Sequence[Entry]) -> list[str]:
    """Per stage what is done, stale or to run, and why."""
    lines = []
    for stage in stages:
        mine = [entry for entry in entries if entry.piece.stage == stage.name]
        states = [entry.state for entry in mine]
        counts = [f"{states.count(state)} {state}" for state in ("done", "stale", "to run") if state in states]
        lines.append(f"{stage.name:<10} {len(mine)} in all: {', '.join(counts)}")
        open_ones = [entry for entry in mine if entry.state != "done"]
        width = max(12, *(len(entry.piece.name) for entry in open_ones[:SHOWN]), 0)
        lines += [f"  {entry.piece.name:<{width}} {entry.state}{_because(entry)}" for entry in open_ones[:SHOWN]]
        if len(open_ones) > SHOWN:
            lines.append(f"  ... and {len(open_ones) - SHOWN} more")
    return lines


def _because(entry: Entry) -> str:
    kept = (
        "; what it has in common with the one before is taken over"
        if entry.state == "stale" and entry.piece.kin
        else ""
    )
    return f": {entry.reason}{kept}" if entry.reason else ""


def _summarise(job: Job, store: Store, recipe: JobRecipe, outcome: Outcome, report: bool) -> int:
    """Write the results, say what there is, explain failures; the exit status."""
    print(visible("\n".join(job.results(store, outcome.records, recipe))))
    _notes(outcome)
    if report and job.report:
        print(visible("\n".join(job.report(store, outcome.records, recipe))))
    if not outcome.failures:
        print(f"all done  -> {store.uri}/results/")
        return 0
    _explain(outcome.failures)
    if outcome.waiting:
        more = f" and {len(outcome.waiting) - SHOWN} more" if len(outcome.waiting) > SHOWN else ""
        print(f"Not tried, since they need what failed: {', '.join(outcome.waiting[:SHOWN])}{more}.", file=sys.stderr)
    if store.names("results"):
        print("Tables in results/ that could not be made now are those of the run before.", file=sys.stderr)
    print("What is finished stays. Mend the above and run the same command again.", file=sys.stderr)
    return 2 if all(isinstance(error, InputError) for error in outcome.failures.values()) else 1


def _notes(outcome: Outcome) -> None:
    """What a training had to say, such as that memory did not suffice."""
    for id, record in outcome.records.items():
        for note in record.meta["account"].get("notes", ()):
            print(visible(f"{id}: {note}"))


def _explain(failures: Mapping[str, BaseException]) -> None:
    for piece, error in list(failures.items())[:EXPLAINED]:
        if isinstance(error, InputError | TrainingError):
            print(visible(f"{piece} failed. {error}"), file=sys.stderr)
        else:
            print(visible(f"{piece} failed:\n{''.join(traceback.format_exception(error))}"), file=sys.stderr)
    others = list(failures)[EXPLAINED:]
    if others:
        print(f"{len(others)} more failed: {', '.join(others)}.", file=sys.stderr)
