"""The compressor: how short zstandard makes a sentence once it has seen the training text.

No model in the narrow sense, and the plainest witness there is: no hyper-parameters, no training, no alphabet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from langvec.config import Strict
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson

if TYPE_CHECKING:
    import zstandard

FILE = "text.zst"


class CompressorRecipe(Strict):
    """Conditional code length: zstandard with the training text as its dictionary."""

    actor: ClassVar[bool] = False
    kind: Literal["compressor"] = "compressor"
    level: int = Field(19, ge=3, le=22, description="effort of zstandard; below 3 it forgets most of a long text")
    max_bytes: int = Field(1 << 20, ge=1 << 10, le=1 << 23, description="of the training text, the first so many")

    def train(self, lesson: Lesson, folder: Path) -> dict[str, Any]:
        """Keep as much of the text as the dictionary takes."""
        import zstandard

        text = lesson.train
        count = int(np.searchsorted(np.cumsum(text.bytes, dtype=np.int64), self.max_bytes)) + 1
        lines = "\n".join(text.text(0, min(count, len(text)))).encode()[: self.max_bytes]
        (folder / FILE).write_bytes(zstandard.compress(lines, self.level))
        return {"bytes": len(lines)}

    def load(self, folder: Path) -> CompressorModel:
        import zstandard

        packed = (folder / FILE).read_bytes()  # whatever it says of its size, no more than this comes out
        lines = zstandard.ZstdDecompressor().stream_reader(packed).read(self.max_bytes)
        dictionary = zstandard.ZstdCompressionDict(lines, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        parameters = zstandard.ZstdCompressionParameters.from_level(
            self.level, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=0, write_dict_id=0
        )
        dictionary.precompute_compress(compression_params=parameters)
        return CompressorModel(zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters))


@dataclass(frozen=True)
class CompressorModel:
    compressor: zstandard.ZstdCompressor

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """Nats of each of some sentences of a text, beyond what an empty one takes."""
        empty = len(self.compressor.compress(b""))
        lines = (text.text(int(i), int(i) + 1)[0] for i in sentences)
        sizes = np.fromiter((len(self.compressor.compress(line.encode())) for line in lines), np.int64, len(sentences))
        return 8 * math.log(2) * np.maximum(sizes - empty, 1)
