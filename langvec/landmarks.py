"""Which languages stand for all when not every one can have a model."""

from __future__ import annotations

from collections.abc import Sequence

from langvec.languages import find


def landmarks(codes: Sequence[str], count: int) -> list[str]:
    """The first language of every family in the order given, then the second of every one, and so on.

    An isolate is a family of its own. The result keeps the order of the codes.
    """
    of_family: dict[str, int] = {}
    turns = []
    for place, code in enumerate(codes):
        language = find(code)
        family = language.family[0] if language.family else language.iso
        of_family[family] = of_family.get(family, 0) + 1
        turns.append((of_family[family], place))
    return [codes[place] for place in sorted(place for _, place in sorted(turns)[:count])]
