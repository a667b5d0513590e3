"""Where labelled text comes from: one module a kind, each a config that can read what it names."""

from typing import Annotated

from pydantic import Field

from langvec.labelled.articles import Articles
from langvec.labelled.base import SPLITS, Labelled, LabelledSource, Split
from langvec.labelled.files import LabelledFiles
from langvec.labelled.hub import LabelledHub
from langvec.labelled.intents import Intents

AnyLabelled = Annotated[Articles | Intents | LabelledFiles | LabelledHub, Field(discriminator="kind")]

__all__ = [
    "SPLITS",
    "AnyLabelled",
    "Articles",
    "Intents",
    "Labelled",
    "LabelledFiles",
    "LabelledHub",
    "LabelledSource",
    "Split",
]
