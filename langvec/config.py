"""The base of every config: frozen and strict, so that a typing mistake cannot pass for a setting."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A config that cannot change and knows no field it does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
