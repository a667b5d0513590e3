"""Where pairs of sentences come from: one module a kind, each a config that can read what it names."""

from typing import Annotated

from pydantic import Field

from langvec.sources.bitext.joined import Joined
from langvec.sources.bitext.moses import Moses
from langvec.sources.bitext.table import Table
from langvec.sources.bitext.tmx import Tmx

AnyBitext = Annotated[Table | Moses | Tmx | Joined, Field(discriminator="kind")]

__all__ = ["AnyBitext", "Joined", "Moses", "Table", "Tmx"]
