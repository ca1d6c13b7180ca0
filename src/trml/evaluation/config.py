"""What comes with submitted predictions: a card that says how they were made (card.yaml)."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from trml.base.errors import ContractError
from trml.base.fields import Label, strict
from trml.base.files import not_a_file
from trml.base.yaml_reader import read_yaml

CARD = "card.yaml"
SUBMISSIONS = Path("submissions")  # below it a folder an experiment, below that one a submission

Words = Annotated[str, Field(min_length=1, max_length=300)]


@dataclass(config=strict)
class Card:
    """How submitted predictions were made.

    Attributes:
        label: The method's name in tables.
        authors: Who submits it.
        reference: Where it is described: a paper, a repository, a sentence.
        trained_on: What it was trained on, pretraining included.
        selected_on: What hyper-parameters and the checkpoint were selected on.
        read_test_labels: Whether anything was fitted or selected on test labels. Such predictions are refused.
        notes: Anything else.
    """

    label: Label
    authors: Words
    reference: Words
    trained_on: Words
    selected_on: Literal["dev", "train", "nothing"]
    read_test_labels: bool
    notes: Annotated[str, Field(max_length=2000)] = ""


@dataclass(frozen=True)
class Submitted:
    """Predictions of somebody else's code (submissions.py).

    name: of its folder. label: for tables. checksum: of its files.
    """

    name: str
    label: str
    checksum: str


def read_card(path: Path) -> Card:
    """Read card.yaml.

    Raises:
        ContractError: If it is absent, lacks something, or says that test labels were read.
    """
    if not_a_file(path) == "is missing":
        raise ContractError(f"{path} is absent; expected {', '.join(Card.__annotations__)}")
    try:
        card = TypeAdapter(Card).validate_json(json.dumps(read_yaml(path, ContractError)), strict=True)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, each['loc'])) or 'the card'}: {each['msg']}" for each in error.errors()]
        raise ContractError(f"{path}: {'; '.join(faults)}") from None
    if card.read_test_labels:
        raise ContractError(f"{path}: read_test_labels is true; tables hold only what was not fitted on test labels")
    return card
