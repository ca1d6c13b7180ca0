"""Field types that the parts of the configuration share. Types only: no value here decides a number."""

from typing import Annotated

from pydantic import ConfigDict, Field

Seed = Annotated[int, Field(ge=0, lt=10**18)]  # as many digits as a configuration takes (config/load.py)

# The next four also annotate the options of methods (config/method_options.py).
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

# Bounds are far beyond what anybody means, and within what single precision and a machine take: a run would end late.
Positive = Annotated[float, Field(ge=1e-9, le=1e9, allow_inf_nan=False)]

NotNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

Count = Annotated[int, Field(ge=1, le=1_000_000)]

Rate = Annotated[float, Field(ge=1e-9, le=10, allow_inf_nan=False)]  # of learning

Width = Annotated[int, Field(ge=1, le=8192)]  # of layers, vectors and pictures

Threads = Annotated[int, Field(ge=1, le=1024)]

# Names become names of folders, several in one, beside digests: a file system takes 255 bytes.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]

# Goes into csv, Markdown, LaTeX and HTML: nothing that starts a formula or an element, or ends a cell.
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f|<>`=+@-][^\x00-\x1f\x7f|<>`]*$")]

strict = ConfigDict(extra="forbid", strict=True)


def require(condition: bool, message: str) -> None:
    """Raise ValueError unless `condition` holds; pydantic reports it as a fault of the configuration."""
    if not condition:
        raise ValueError(message)
