"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict


@dataclass(config=strict)
class GivenEncoder:
    """The corpus brings its features; nothing is encoded."""

    kind: Literal["given"]
    name: Name
