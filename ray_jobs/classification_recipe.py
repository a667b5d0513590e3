"""What recipes of classification share: labelled text, encoders, how they are tuned, and what they have to beat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import Field

from langvec.config import Strict
from langvec.errors import InputError
from langvec.labelled import AnyLabelled, LabelledFiles, Split
from masking.plain_classifiers import AnyPlainClassifier, CharacterNgrams, Majority
from masking.start import AnyStart
from masking.tuning import Tuning

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_+-]{0,39}$")]

NOTHING = "none"  # no vectors beside the task


class ClassificationCompute(Strict):
    """Where the work runs. Never part of a fingerprint: it cannot change a result."""

    cpus: int | None = Field(None, ge=1, description="cores of the private local cluster; null takes all")
    cpus_per_model: float = Field(1, gt=0, description="cores of one fine-tuning")
    gpus_per_model: float = Field(0, ge=0, description="GPUs of one fine-tuning; 0.25: four share one")
    save_every_s: float = Field(300, ge=0, description="seconds of fine-tuning that a kill may cost; 0: no step")

    @property
    def checkpoint_every_s(self) -> float:
        return self.save_every_s


class ClassificationRecipe(Strict):
    """Classes of texts in several languages, learnt by encoders from some of them."""

    shipped_in: ClassVar[Path]

    seed: int = Field(1, ge=0, description="every random draw derives from it")
    data: AnyLabelled = Field(description="texts with labels, by language and split")
    encoders: dict[Name, AnyStart] = Field(min_length=1, description="what is fine-tuned, by name")
    tuning: Tuning = Tuning()
    seeds: int = Field(3, ge=1, description="fine-tunings of each kind; differences of one are of these alone")
    judged_on: Split = Field("test", description="split that is judged on")
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of the training texts to choose the epoch by, where there is no validation"
    )
    train_texts: int | None = Field(None, ge=1, description="training texts of a language at most; null: all")
    baselines: dict[Name, AnyPlainClassifier] = Field(
        {"majority": Majority(), "characters": CharacterNgrams()}, description="what encoders have to beat, by name"
    )
    compute: ClassificationCompute = ClassificationCompute()

    @abstractmethod
    def courses(self) -> Mapping[str, tuple[str, ...]]:
        """What is trained on together, by name."""

    def languages(self) -> tuple[str, ...]:
        """All that is judged."""
        return self.data.codes()

    def problems(self) -> list[str]:
        """Every mistake that can be seen before work starts."""
        found = [f"data: {problem}" for problem in self.data.problems()]
        found += [f"encoders.{name}: {problem}" for name, one in self.encoders.items() for problem in one.problems()]
        return found or self._missing_splits() or self._unreadable()

    def _missing_splits(self) -> list[str]:
        from langvec.labelled.checks import refuse_missing_splits

        found = []
        trained = [code for code in self.data.codes() if any(code in some for some in self.courses().values())]
        for codes, split in ((trained, "train"), (self.data.codes(), self.judged_on)):
            try:
                refuse_missing_splits(self.data, codes, split)  # type: ignore[arg-type]
            except InputError as error:
                found.append(f"data: {error}")
        return found

    def _unreadable(self) -> list[str]:
        """Files of one's own are read to their end: a row without a label would stop the run an hour later."""
        from langvec.labelled.checks import refuse_unknown_labels

        if not isinstance(self.data, LabelledFiles):
            return []
        found, labels, judged = list[str](), set[str](), {}
        for code in self.data.codes():
            for split in self.data.splits(code):
                try:
                    rows = self.data.read(code, split)
                except InputError as error:
                    found.append(f"data: {error}")
                    continue
                if split == "train" and any(code in some for some in self.courses().values()):
                    labels |= set(rows.labels)
                elif split in ("validation", self.judged_on):
                    judged[code] = rows
        try:
            refuse_unknown_labels(labels, {} if found else judged)
        except InputError as error:
            found.append(f"data: {error}")
        return found

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
