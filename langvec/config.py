"""The base of every config: frozen and strict, so that a typing mistake cannot pass for a setting."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A config that cannot change and knows no field it does not name.

    Defaults are looked at as well: a rate of 1 and one of 1.0 would be two fingerprints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
