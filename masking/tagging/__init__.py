"""Taggers: one module each, a config that can load the model it names."""

from typing import Annotated

from pydantic import Field

from masking.tagging.annotated import AnnotatedRecipe
from masking.tagging.crf import CrfRecipe
from masking.tagging.lexicon import LexiconRecipe
from masking.tagging.projection import ProjectionRecipe
from masking.tagging.salience import SalienceRecipe
from masking.tagging.sinhala import SinlingRecipe
from masking.tagging.spacy_pipeline import SpacyRecipe
from masking.tagging.stanza_pipeline import StanzaRecipe
from masking.tagging.token_classifier import TokenClassifierRecipe

AnyTagger = Annotated[
    StanzaRecipe
    | SpacyRecipe
    | TokenClassifierRecipe
    | SinlingRecipe
    | CrfRecipe
    | LexiconRecipe
    | AnnotatedRecipe
    | ProjectionRecipe
    | SalienceRecipe,
    Field(discriminator="kind"),
]

__all__ = [
    "AnnotatedRecipe",
    "AnyTagger",
    "CrfRecipe",
    "LexiconRecipe",
    "ProjectionRecipe",
    "SalienceRecipe",
    "SinlingRecipe",
    "SpacyRecipe",
    "StanzaRecipe",
    "TokenClassifierRecipe",
]
