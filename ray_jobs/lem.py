"""The job `lem` as a list of stages: those of `tag`, then start, samples, mono, para, judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from ray_jobs import judged, sentences, tagging
from ray_jobs.job import Job
from ray_jobs.lem_recipe import UNTOUCHED, Arm, LemRecipe, arms
from ray_jobs.lem_results import write_results
from ray_jobs.report.lem import write_report
from ray_jobs.samples import samples_piece, start_piece
from ray_jobs.stages import Piece, Place, Record, Stage
from ray_jobs.training import STEPS, Processes, Step, Training, train_together

FORMAT = 1  # raise when a stage writes something else than before


def stages(recipe: LemRecipe) -> list[Stage]:
    return stages_of(plan_of(recipe))


def stages_of(plan: Plan) -> list[Stage]:
    recipe = plan.recipe
    return [
        *tagging.stages_of(recipe, [plan.tags, *([plan.other] if plan.other else [])], plan.tests.values()),
        Stage("start", (plan.start,)),
        Stage("samples", (), plan.samples),
        *(Stage(step, (), partial(plan.trained, step)) for step in STEPS if getattr(recipe, step)),
        Stage("judged", (), plan.judged),
    ]


def plan_of(recipe: LemRecipe) -> Plan:
    other = tagging.plan(recipe, recipe.monolingual, "mono") if recipe.monolingual else None
    tests = {f"{name} {code}": _test_text(recipe, name, code) for name, code in _tested(recipe)}
    return Plan(recipe, tagging.plan(recipe), other, tests)


def _tested(recipe: LemRecipe) -> Iterator[tuple[str, str]]:
    wanted = {code for pair in recipe.pairs for code in pair}
    return ((name, code) for name, source in recipe.tests.items() for code in source.codes() if code in wanted)


def _test_text(recipe: LemRecipe, name: str, code: str) -> Piece:
    return sentences.piece(recipe.tests[name], code, recipe.sentences_per_block, recipe.seed, f"{name}.{code}")


@dataclass(frozen=True)
class Plan:
    """The pieces from the encoder on. Those that learn from text show when its blocks are known."""

    recipe: LemRecipe
    tags: tagging.Plan
    other: tagging.Plan | None
    tests: Mapping[str, Piece]  # sentences, by `NAME CODE`

    @cached_property
    def start(self) -> Piece:
        """Made once: the encoder is hashed for it."""
        texts = {**self.tags.texts, **(self.other.texts if self.other else {}), **self.tests}
        return start_piece(self.recipe, texts)

    def samples(self, done: Mapping[str, Record]) -> list[Piece]:
        blocks = {code: self.tags.blocks(code, done) for code in self.tags.texts}
        blocks |= {label: self.other.blocks(label, done) for label in self.other.texts} if self.other else {}
        return [samples_piece(self.recipe, group, self.start, blocks, self.tests) for group in self.recipe.groups()]

    def trained(self, step: Step, done: Mapping[str, Record]) -> list[Piece]:
        return [self._step(step, arm, samples) for samples in self.samples(done) for arm in arms(self.recipe)]

    def judged(self, done: Mapping[str, Record]) -> list[Piece]:
        found = []
        for samples in self.samples(done):
            encoders = {f"{samples.name}.{UNTOUCHED}": self.start}
            for arm in arms(self.recipe):
                encoders[f"{samples.name}.{arm.id}"] = self._step(self.steps[-1], arm, samples)
            found += [self._judged(name, encoder, samples) for name, encoder in encoders.items()]
        return found

    @property
    def steps(self) -> list[Step]:
        return [step for step in STEPS if getattr(self.recipe, step)]

    def training(self, step: Step, arm: Arm) -> Training:
        how = getattr(self.recipe, step)
        return Training(step, how, arm.masks, self.recipe.embedding, arm.seed)

    def _step(self, step: Step, arm: Arm, samples: Piece) -> Piece:
        """A step begins with what the one before it has left, the first with the encoder as it came."""
        before = self.steps[: self.steps.index(step)]
        begun = self._step(before[-1], arm, samples) if before else self.start
        compute, training = self.recipe.compute, self.training(step, arm)
        processes = Processes(compute.workers, compute.cpus_per_worker, compute.gpus_per_worker)
        return Piece(
            step,
            f"{samples.name}.{arm.id}",
            partial(train_together, training, processes),
            training.config() | {"format": FORMAT},
            needs={"start": begun, "samples": samples},
            seed=arm.seed,
            place=Place(processes.cpus, processes.gpus, workers=processes.count),
        )

    def _judged(self, name: str, encoder: Piece, samples: Piece) -> Piece:
        compute = self.recipe.compute
        return Piece(
            "judged",
            name,
            partial(judged.judge_piece, self.recipe.embedding),
            self.recipe.embedding.model_dump() | {"format": judged.FORMAT},
            needs={"encoder": encoder, "samples": samples},
            place=Place(compute.cpus_per_worker, compute.gpus_per_worker),
        )


JOB = Job("lem", LemRecipe, stages, write_results, ("cpus_per_worker", "gpus_per_worker"), write_report)
