"""What the report of a run of `lem` says in words: what was trained, and what can and cannot be told from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from masking.start import ScratchStart
from ray_jobs.lem_recipe import UNTOUCHED
from ray_jobs.report.lem_findings import Comparison, LemFindings, Row, pair_name, set_name, signed
from ray_jobs.report.words import Figure, listed

_STEPS = {"mono": "single sentences", "para": "pairs of sentences"}


def title(findings: LemFindings) -> str:
    recipe = findings.recipe
    return f"{_counted(len(recipe.arms), 'way')} to mask, {_counted(len(recipe.pairs), 'language pair')}"


def summary(findings: LemFindings) -> str:
    """One paragraph on what was run."""
    recipe = findings.recipe
    steps = " and then on ".join(words for step, words in _STEPS.items() if getattr(recipe, step))
    begun = (
        "that knew nothing yet"
        if isinstance(recipe.encoder, ScratchStart)
        else f"that was trained before ({Path(recipe.encoder.model).name})"
    )
    shared = "one encoder for all pairs of languages" if recipe.together else "one encoder for each pair of languages"
    return (
        f"An encoder {begun} was trained on {steps} to guess what is hidden from it, once for each way to hide: "
        f"{listed(list(recipe.arms))}; {shared if len(recipe.pairs) > 1 else 'on one pair of languages'}. Every "
        f"encoder then mined: each sentence of one language seeks its translation among all those of the other. What "
        f"counts is how many pairs find each other, by the ratio margin and from both sides."
    )


def figures(findings: LemFindings) -> list[Figure]:
    """The headline numbers: the encoder, the pairs, the arms, the text, and the recall of the best arm."""
    recipe = findings.recipe
    pairs = [pair_name("-".join(pair)) for pair in recipe.pairs]
    found = [Figure(f"{len(pairs)}", "language pairs" if len(pairs) > 1 else "language pair", (", ".join(pairs),))]
    if findings.start:
        size = f"of {findings.start['pieces']:,} pieces and {findings.start['parameters']:,} parameters"
        found.insert(0, Figure(_counted(findings.start["layers"], "layer"), "in each encoder", (size,)))
    arms = (f"{listed(list(recipe.arms))}; baseline {recipe.baseline}",)
    found.append(Figure(f"{len(recipe.arms)} × {recipe.seeds}", "ways to mask × seeds", arms))
    if findings.samples:
        parts = [part for account in findings.samples.values() for part in account["pairs"].values()]
        held = f"{sum(part['test'] for part in parts):,} held out"
        found.append(Figure(f"{sum(part['train'] for part in parts):,}", "pairs of sentences to learn from", (held,)))
    if findings.encoders:
        found.append(_tokens(findings.encoders))
    return found + list(_best(findings.compared))


def _tokens(encoders: Sequence[Row]) -> Figure:
    """What an encoder has read, over all steps."""
    read = [sum(int(row.get(f"{step}_tokens") or 0) for step in _STEPS) for row in encoders]
    least = f", {min(read):,} at least" if min(read) < max(read) else ""
    return Figure(f"{max(read):,}", "tokens read by an encoder", (f"{_counted(len(read), 'encoder')}{least}",))


def _best(compared: Comparison) -> Iterator[Figure]:
    if best := compared.best():
        rows = compared.whole(compared.sets[0])
        beside = (compared.rows[0]["baseline"], UNTOUCHED)
        others = [f"{row['arm']} {row['mean']:.3f}" for row in rows if row["arm"] in beside and row["arm"] != best]
        (mean,) = (row["mean"] for row in rows if row["arm"] == best)
        label = f"recall of mining, {set_name(compared.sets[0])}, {best}"
        yield Figure(f"{mean:.3f}", label, (", ".join(others),))


def verdicts(compared: Comparison) -> list[str]:
    """For each set one sentence or two: whether the best arm is above the baseline, or whether that cannot be told."""
    found = [f"On {set_name(name)}: {verdict(compared.whole(name))}" for name in compared.sets]
    seeds = {row["seeds"] for row in compared.rows if row["arm"] != UNTOUCHED}
    if found and seeds == {1}:
        found.append(
            "Each way to mask was tried with one seed: what is said here is of these encoders alone. With another it "
            "may turn; only several seeds can tell a difference between ways to mask."
        )
    return found


def verdict(rows: Sequence[Row]) -> str:
    """What the recall of arms on one set comes to, in plain words."""
    baseline = str(rows[0]["baseline"])
    others = [row for row in rows if row["arm"] not in (UNTOUCHED, baseline)]
    base = next((row for row in rows if row["arm"] == baseline), None)
    if base is None or not others:
        return "there is nothing yet to compare with."
    best = max(others, key=lambda row: float(row["mean"]))
    return " ".join([_against(best, base), *_chosen(others), *_untouched(rows, best, base)])


def _against(best: Row, base: Row) -> str:
    means = f"{best['arm']} finds {best['mean']:.3f} of the {best['items']:,} pairs, {base['arm']} {base['mean']:.3f}"
    interval = f"{signed(best['difference'])}, 95% interval {signed(best['low'])} to {signed(best['high'])}"
    if best["low"] > 0:
        return f"{best['arm']} is above {base['arm']}, beyond its interval: {means} ({interval})."
    if best["high"] < 0:
        return f"no arm is above {base['arm']}; even the best of the others is below it: {means} ({interval})."
    return f"no difference can be told between {best['arm']} and {base['arm']}: {means} ({interval})."


def _chosen(others: Sequence[Row]) -> Iterator[str]:
    if len(others) > 1:
        yield f"It is the best of {len(others)}, which flatters it: the interval knows nothing of the choice."


def _untouched(rows: Sequence[Row], best: Row, base: Row) -> Iterator[str]:
    """Whether training was worth it at all."""
    came = next((row for row in rows if row["arm"] == UNTOUCHED), None)
    if came is None or base is came:
        return
    most = max(float(best["mean"]), float(base["mean"]))
    if came["mean"] > most:
        beyond = f", beyond the interval above {base['arm']}" if came["low"] > 0 else ""
        yield f"The untouched encoder finds {came['mean']:.3f}, more than any trained one{beyond}."
    else:
        more = "as much as" if came["mean"] == most else "less than"
        yield f"The untouched encoder finds {came['mean']:.3f}, {more} the best trained one."


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
