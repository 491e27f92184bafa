"""Settings from the environment and the command line, with errors a person can act on."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from mooring.kernel.errors import Invalid
from mooring.settings import Settings, variable_of


def settings(**given: Any) -> Settings:
    """Return the settings; what the command line gives wins over the environment."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).lower().removeprefix("mooring_")
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise Invalid(f"setting {variable_of(name)}: {message}", hint="mooring config shows every setting") from None
