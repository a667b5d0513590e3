"""Where text comes from: one module a source, each a config that can read what it names."""

from typing import Annotated

from pydantic import Field

from langvec.sources.catalogs import Catalogs
from langvec.sources.files import Files
from langvec.sources.hub import Hub
from langvec.sources.udhr import Udhr

AnySource = Annotated[Udhr | Files | Hub | Catalogs, Field(discriminator="kind")]

__all__ = ["AnySource", "Catalogs", "Files", "Hub", "Udhr"]
