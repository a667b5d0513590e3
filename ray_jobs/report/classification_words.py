"""What the page of `alchemy` or `sentiment` says in words, and what can and cannot be told from it."""

from __future__ import annotations

from collections.abc import Iterator

from langvec.alchemy import CONTROLS
from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.classification_recipe import NOTHING
from ray_jobs.report.classification import Findings
from ray_jobs.report.lem_findings import signed
from ray_jobs.report.words import Figure, listed
from ray_jobs.verdicts import Row, System


def title(findings: Findings) -> str:
    if isinstance(findings.recipe, AlchemyRecipe):
        return "Does it help to know the language?"
    return "Sentiment, language by language"


def summary(findings: Findings) -> str:
    """One paragraph on what was run."""
    recipe = findings.recipe
    tuned = f"{listed(list(recipe.encoders))} {'were' if len(recipe.encoders) > 1 else 'was'} fine-tuned"
    if not isinstance(recipe, AlchemyRecipe):
        return (
            f"{tuned} to tell the classes of texts apart, trained on {listed(list(recipe.courses()))}, and judged in "
            f"every language, beside baselines that need no encoder."
        )
    return (
        f"{tuned} on {len(recipe.seen)} languages and judged on these and on {len(recipe.unseen())} that it was not "
        f"tuned on. Beside the task, each sentence had to predict the vector of its language: "
        f"{listed(list(recipe.vectors)) or 'none'}; and, to see whether it is the vectors that count, "
        f"{listed(list(recipe.chosen_controls())) or 'nothing else'}. What counts is how far each is above the same "
        f"encoder without a second task."
    )


def figures(findings: Findings) -> list[Figure]:
    """The headline numbers."""
    recipe = findings.recipe
    texts = {row["lang"]: row["texts"] for row in findings.figures}
    found = [
        Figure(f"{len(texts)}", "languages judged", (f"{sum(texts.values()):,} texts",)),
        Figure(f"{recipe.seeds}", "seeds of each", ()),
    ]
    for course, group in findings.groups()[:1]:
        rows = findings.systems(course, group)
        best = max(rows, key=lambda row: row["accuracy"])
        name = System(best["encoder"], course, best["beside"]).name
        trained = f", trained on {course}" if len(recipe.courses()) > 1 else ""
        found.append(Figure(f"{best['accuracy']:.3f}", f"accuracy on {group} languages", (f"{name}{trained}",)))
    return found


def verdicts(findings: Findings) -> list[str]:
    """For each group of languages, what can be told."""
    found = [text for course, group in findings.groups() for text in _verdict(findings, course, group)]
    if found and findings.recipe.seeds == 1:
        found.append("Each system was tuned with one seed: with another it may turn.")
    return found


def _verdict(findings: Findings, course: str, group: str) -> Iterator[str]:
    rows = [row for row in findings.systems(course, group) if row.get("accuracy_difference") is not None]
    second = [row for row in rows if row["beside"] != NOTHING]
    if not second:
        others = [row for row in rows if row["encoder"] in findings.recipe.encoders]
        trained = f"Trained on {course}, " if len(findings.recipe.courses()) > 1 else ""
        yield from (f"{trained}{'on' if trained else 'On'} {group} languages: {_told(row)}" for row in others)
        return
    for row in second:
        name = row["beside"].rpartition("-")[0]
        if name not in CONTROLS:
            yield f"On {group} languages: {_told(row)} {_beside(row, second)}"


def _told(row: Row) -> str:
    name = System(row["encoder"], row["course"], row["beside"]).name
    value = f"{signed(row['accuracy_difference'])}, {signed(row['accuracy_low'])} to {signed(row['accuracy_high'])}"
    if row["accuracy_low"] > 0:
        return f"{name} is above {row['baseline']}, beyond the interval ({value})."
    if row["accuracy_high"] < 0:
        return f"{name} is below {row['baseline']}, beyond the interval ({value})."
    return f"no difference can be told between {name} and {row['baseline']} ({value})."


def _beside(row: Row, second: list[Row]) -> str:
    """The best control of the same weight: vectors that are no better than noise are noise."""
    encoder, weight = row["encoder"], row["beside"].rpartition("-")[2]
    controls = [
        one
        for one in second
        if one["encoder"] == encoder
        and one["beside"].rpartition("-")[2] == weight
        and one["beside"].rpartition("-")[0] in CONTROLS
    ]
    if not controls:
        return "No control was run beside it."
    best = max(controls, key=lambda one: one["accuracy"])
    more = "more than" if row["accuracy"] > best["accuracy"] else "not more than"
    return f"It gets {row['accuracy']:.3f} right, {more} the best control ({best['beside']}, {best['accuracy']:.3f})."


def named(findings: Findings) -> str | None:
    """What naming languages by predicted vectors shows."""
    if not any(row.get("named") is not None for row in findings.differences):
        return None
    return (
        "`Named` is the share of texts whose predicted vector is nearest to that of their own language: of all, and of "
        "its group, those trained on or those not. In a group of twenty guessing gets 0.05. For languages that were "
        "not trained on it says whether more was learnt than the names of the others."
    )
