"""Every random draw derives from the recipe's seed and the name of what it is drawn for."""

import hashlib


def derived(seed: int, *names: str | int) -> int:
    """A seed of its own for each purpose, the same on every machine: `derived(1, "deu_Latn", "epoch", 3)`."""
    text = "\0".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
