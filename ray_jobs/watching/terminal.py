"""What a terminal is given to show: texts of others must not move its cursor, rename its window or type into it."""

from __future__ import annotations

import re

# Escapes but those that `masks` paints with, control characters but tab and line feed, and marks that turn text round.
_COMMANDS = re.compile(
    r"\x1b(?!\[(?:3[2-7](?:;7)?|0)m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def visible(text: str) -> str:
    """The text with what a terminal would obey written out, as in \\x1b."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
