"""Small translators: what a selection of parallel text is worth shows in what they learn from it."""

from typing import Annotated

from pydantic import Field

from masking.translation.recipe import PretrainedTranslator, ScratchTranslator

AnyTranslator = Annotated[ScratchTranslator | PretrainedTranslator, Field(discriminator="kind")]
