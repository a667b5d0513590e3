"""The kinds of language models. Each has a recipe that trains and loads it, and scores text in the same way."""

from typing import Annotated

from pydantic import Field

from langvec.compressor import CompressorRecipe
from langvec.ngram import NgramRecipe
from langvec.transformer import TransformerRecipe

ModelRecipe = Annotated[TransformerRecipe | NgramRecipe | CompressorRecipe, Field(discriminator="kind")]
