"""What labelled text must be so that a score on it means something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from langvec.errors import InputError
from langvec.labelled.base import Labelled, LabelledSource, Split

_SHOWN = 8


def refuse_missing_splits(source: LabelledSource, codes: Iterable[str], split: Split) -> None:
    """Refuse languages that lack a split; all of them at once."""
    lacking = [code for code in codes if split not in source.splits(code)]
    if lacking:
        there = {code: ", ".join(source.splits(code)) or "none" for code in lacking[:_SHOWN]}
        raise InputError(
            f"No {split} split for {_listed(lacking)}. Expected one in each language that is asked for it; found: "
            f"{'; '.join(f'{code} {splits}' for code, splits in there.items())}. Add rows or leave the language out."
        )


def refuse_unknown_labels(train: Iterable[str], judged: Mapping[str, Labelled]) -> None:
    """Refuse labels that no training row has: a classifier could never be right. `judged` by a name to show."""
    known = frozenset(train)
    unknown = {name: sorted(set(rows.labels) - known) for name, rows in judged.items()}
    wrong = [f"{name}: {_listed(labels)}" for name, labels in unknown.items() if labels]
    if wrong:
        raise InputError(
            f"Labels that no training row has, in {'; '.join(wrong[:_SHOWN])}{' and more' * (len(wrong) > _SHOWN)}. "
            f"Expected some of {_listed(sorted(known))}. Mend their spelling, train on rows that have them, "
            f"or leave those rows out."
        )


def without_seen(judged: Labelled, *train: Labelled) -> Labelled:
    """The rows whose text is in no training set; those left out are counted. Case and spaces make no other text."""
    seen = {_plain(text) for rows in train for text in rows.texts}
    kept = [place for place, text in enumerate(judged.texts) if _plain(text) not in seen]
    left_out = len(judged.texts) - len(kept)
    dropped = dict(judged.dropped) | ({"text is in the training rows": left_out} if left_out else {})
    ids, texts, labels = ([column[place] for place in kept] for column in judged[:3])
    return Labelled(ids, texts, labels, dropped)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
