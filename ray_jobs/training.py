"""A stage of pre-training as a piece: on Ray Train, or in one process as part of a trial.

What survives a kill is in the run's own memory, a file that says when it is damaged; Ray Train brings the processes
together, starts them again when one dies, and hands the encoder over.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from langvec.errors import InputError, TrainingError
from masking import group
from masking.curriculum import Curriculum
from masking.encoder import Embedding
from masking.judging import DevRetrieval
from masking.masks import AnyMasks
from masking.pretraining import Lesson, pretrain
from masking.tokens import Tokens
from ray_jobs.samples import DEV, read_sets
from ray_jobs.stages import Desk, Tell
from ray_jobs.store import Store
from ray_jobs.task import OTHERS, disk_full_explained, peak_mib

STATE = ".train"  # what Ray Train keeps while it works
NOTES = f"{STATE}-notes"  # what processes leave for those that start after them
RETRIES = 10  # of a group of processes of which one died: on spot machines one node may go after another
FAILED = "failed"  # in what a process reports: our own exception, by name, and what it says

Step = Literal["mono", "para"]
STEPS: tuple[Step, ...] = ("mono", "para")


@dataclass(frozen=True)
class Training:
    """All that decides what an encoder learns in a step, but the samples."""

    step: Step
    how: Curriculum
    masks: AnyMasks
    embedding: Embedding
    seed: int

    def config(self) -> dict[str, Any]:
        """As plain data, for a fingerprint."""
        parts = {"how": self.how, "masks": self.masks, "embedding": self.embedding}
        return {"step": self.step, "seed": self.seed} | {
            name: part.model_dump(mode="json") for name, part in parts.items()
        }

    def lesson(self, desk: Desk, begun: Path, tell: Tell) -> Lesson:
        samples = desk.needed["samples"]
        train, dev = (Tokens.from_table(pq.read_table(samples / f"{self.step}{part}.parquet")) for part in ("", "-dev"))
        sets = {pair: sides[1:] for (name, pair), sides in read_sets(samples).items() if name == DEV}
        judge = DevRetrieval(self.embedding, sets)
        return Lesson(begun, train, dev, self.seed, self.step, desk.memory, judge, tell=tell)

    def run(self, desk: Desk, begun: Path, folder: Path, tell: Tell) -> dict[str, Any]:
        return pretrain(self.how, self.masks, self.lesson(desk, begun, tell), folder)


@dataclass(frozen=True)
class Processes:
    """How many train together, and the share of each."""

    count: int
    cpus: float
    gpus: float


def train_together(training: Training, processes: Processes, desk: Desk) -> dict[str, Any]:
    """The work of a piece: train on Ray Train, put the encoder into the folder."""
    from ray.train import Checkpoint, FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    logging.getLogger("ray.train").setLevel(logging.ERROR)
    errand = desk.errand
    if errand is None:
        raise AssertionError("a piece that travels has an errand")
    name = errand.folder.replace("/", "-")
    _cleared(errand.store, name)  # Ray Train would take a name that it knows for finished
    trainer = TorchTrainer(
        _loop,
        train_loop_config={"training": training, "errand": errand, "notes": f"{NOTES}/{name}"},
        scaling_config=ScalingConfig(
            num_workers=processes.count,
            use_gpu=processes.gpus > 0,
            resources_per_worker={"CPU": processes.cpus, **({"GPU": processes.gpus} if processes.gpus else {})},
        ),
        run_config=RunConfig(
            name=name,
            storage_path=f"{errand.store.root}/{STATE}",
            storage_filesystem=errand.store.filesystem,
            failure_config=FailureConfig(max_failures=RETRIES),
        ),
    )
    result = trainer.fit()
    if result.metrics and FAILED in result.metrics:
        raise _ours(result.metrics[FAILED])
    checkpoint: Checkpoint | None = result.checkpoint
    if checkpoint is None or not result.metrics:
        raise AssertionError("a finished training leaves a checkpoint")
    checkpoint.to_directory(desk.folder)
    others = dict(result.metrics[OTHERS]) | {"restarts": len(errand.store.names(f"{NOTES}/{name}")) - 1}
    _cleared(errand.store, name)
    return dict(result.metrics["account"]) | {OTHERS: others}


def _cleared(store: Store, name: str) -> None:
    for folder in (STATE, NOTES):
        store.delete_folder(f"{folder}/{name}")


def _loop(config: Mapping[str, Any]) -> None:
    """What each process of the group does. Our own exceptions are reported: raised, they would be tried again."""
    import ray.train

    training: Training = config["training"]
    store, failed = config["errand"].store, f"{config['notes']}/{FAILED}"
    if said := store.read(failed):
        ray.train.report({FAILED: json.loads(said)})
        return
    first = ray.train.get_context().get_world_rank() == 0
    if first:
        store.write(f"{config['notes']}/{uuid.uuid4().hex}", b"")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with disk_full_explained(store):
                desk = config["errand"].desk(folder)
                account = training.run(desk, desk.needed["start"], folder, ray.train.report)
        except (InputError, TrainingError) as error:
            told = (type(error).__name__, str(error))
            if group.size() > 1 and isinstance(error, InputError):
                store.write(failed, json.dumps(told).encode())
                raise  # the others do not know, and wait for this one
            ray.train.report({FAILED: told})
            return
        took = {"cpu_s": time.process_time() * group.size(), "peak_mib": peak_mib()}
        checkpoint = ray.train.Checkpoint.from_directory(scratch) if first else None
        ray.train.report({"account": account, OTHERS: took}, checkpoint)


def _ours(failed: tuple[str, str]) -> Exception:
    kind, said = failed
    return TrainingError(said) if kind == TrainingError.__name__ else InputError(said)
