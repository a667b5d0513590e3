"""Pieces as trials of Ray Tune, which places them and may stop weak ones; what counts is what each publishes.

So nothing of Tune's own state has to be trusted after a kill: a sweep goes on with the pieces that are missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langvec.errors import InputError, TrainingError
from ray_jobs.stages import Place
from ray_jobs.store import Store
from ray_jobs.task import Task, do
from ray_jobs.watching.progress import Progress

STATE = ".tune"  # what Tune keeps while it works
RETRIES = 3  # of a trial whose worker died
_FAILED = "failed"  # in what a trial reports: our own exception, which would only come again


@dataclass(frozen=True)
class Sweep:
    """What Tune has to know. `scheduler` may stop trials by what they tell; `stopped` hears of those."""

    name: str
    place: Place
    reuse_actors: bool = False
    scheduler: Any = None
    stopped: Callable[[str, Mapping[str, Any]], None] = lambda trial, last: None


def run_trials(store: Store, sweep: Sweep, tasks: Mapping[str, Task], total: int) -> dict[str, str]:
    """One trial for each task, the longest names first in order; what went wrong, by name of the trial."""
    os.environ |= {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_AIR_NEW_OUTPUT": "0"}
    from ray import tune

    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    share = {"CPU": sweep.place.cpus, **({"GPU": sweep.place.gpus} if sweep.place.gpus else {})}
    with Progress("sweep", total=total, done=total - len(tasks)) as progress:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(_trial, tasks=dict(tasks)), share),
            param_space={"piece": tune.grid_search(sorted(tasks))},
            tune_config=tune.TuneConfig(reuse_actors=sweep.reuse_actors, scheduler=sweep.scheduler),
            run_config=tune.RunConfig(
                name=sweep.name,
                storage_path=f"{store.root}/{STATE}",
                storage_filesystem=store.filesystem,
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                verbose=0,
                callbacks=[_callback(sweep, progress)],
            ),
        )
        found = tuner.fit()
    results = [found[number] for number in range(len(found))]
    return {result.config["piece"]: why for result in results if result.config and (why := _why_failed(result))}


def _why_failed(result: Any) -> str | None:
    if result.error:
        return str(result.error).strip().splitlines()[-1]
    return (result.metrics or {}).get(_FAILED)


def _trial(config: Mapping[str, str], tasks: Mapping[str, Task]) -> dict[str, Any]:
    from ray import tune

    try:
        record = do(tasks[config["piece"]], tune.report)
    except (InputError, TrainingError) as error:
        return {_FAILED: str(error)}
    return {"wall_s": record.meta["cost"]["wall_s"], "finished": True}


def _callback(sweep: Sweep, progress: Progress) -> Any:
    from ray import tune

    class Steps(tune.Callback):
        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            last = trial.last_result or {}
            if "finished" not in last and _FAILED not in last:
                sweep.stopped(trial.config["piece"], last)
            progress.step(_FAILED not in last)

        def on_trial_error(self, *_: Any, **__: Any) -> None:
            progress.step(False)

    return Steps()
