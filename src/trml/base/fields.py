"""The types that the parts of the configuration share."""

from typing import Annotated

from pydantic import ConfigDict, Field

Seed = Annotated[int, Field(ge=0)]

# These four also annotate the options of methods, which are checked against them.
Share = Annotated[float, Field(ge=0, le=1)]

Positive = Annotated[float, Field(gt=0)]

NotNegative = Annotated[float, Field(ge=0)]

Count = Annotated[int, Field(ge=1)]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

strict = ConfigDict(extra="forbid", strict=True)


def require(condition: bool, message: str) -> None:
    """Raise the ValueError that pydantic turns into a fault of the configuration."""
    if not condition:
        raise ValueError(message)
