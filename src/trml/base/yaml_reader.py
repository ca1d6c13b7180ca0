"""Read configuration files: the part of YAML that has one meaning, without tags, and within bounds.

PyYAML reads YAML 1.1, in which `010` is 8, `1:30` is 90, a date is an object that JSON lacks, and of a key that is
there twice the last counts. Here a number is decimal, a date is text, and what is ambiguous is an error with its line.
"""

import re
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from trml.base.errors import ConfigError, TrmlError
from trml.base.files import not_a_file
from trml.base.printable import one_line, shortened

SIZE = 1 << 22  # bytes of a file
NODES = 200_000  # values of a file, those behind an alias counted each time
DEPTH = 32  # of mappings and lists in each other

_DIRECTIVES = 100

_TAG = "tag:yaml.org,2002:"

_KINDS = ("null", "bool", "int", "float")

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")


class _Fault(Exception):
    """What is wrong with a document, in words."""


# libyaml's reader is fifty times as fast as that in python, which takes minutes for a large file.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """PyYAML's safe loader without dates, bytes, sets and `<<`. What it takes for a number, `_scalar` looks at."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) in _KINDS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: dict[str, Any] = {}


def read_yaml(path: Path, error: type[TrmlError] = ConfigError) -> Any:
    """Return what a YAML file holds: dict, list, str, int, float, bool or None.

    Args:
        path: The file.
        error: What to raise.

    Raises:
        TrmlError: `error`, which names the file and the line, if it is absent, no UTF-8, no YAML, ambiguous or larger
            than the bounds.
    """
    kind = not_a_file(path)
    if kind is not None:
        raise error(f"{path} {kind}; expected a YAML file")
    with path.open("rb") as file:
        content = file.read(SIZE + 1)
    if len(content) > SIZE:
        raise error(f"{path} has more than {SIZE:,} bytes; expected a YAML file")
    try:
        return parse_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise error(f"{path} is not YAML: line {line}: byte 0x{content[fault.start]:02x} is not UTF-8") from None
    except ValueError as fault:
        raise error(f"{path} is not YAML: {fault}") from None


def parse_yaml(text: str) -> Any:
    """Return what a YAML text holds; raise ValueError with the line of a fault."""
    try:
        _require_small(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        return None if root is None else _Builder().value(root)
    except (_Fault, yaml.YAMLError) as fault:
        raise ValueError(one_line(" ".join(str(fault).split()))[:400]) from None


def _require_small(text: str) -> None:
    """Raise _Fault, before a value is made, if there are too many, or they nest so deep that python's stack is used up.

    Events cost no memory: each is forgotten when the next is read.
    """
    if strange := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise _Fault(f"line {line}: it has the character {shortened(strange[0])}; expected text")
    if text.count("\n%") > _DIRECTIVES:  # libyaml compares each with all before it
        raise _Fault(f"it has more than {_DIRECTIVES} lines that start with %; expected none")
    depth = count = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            count += 1
            if count > NODES:
                raise _Fault(f"line {_line(event)}: it has more than {NODES:,} values")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH:
                    raise _Fault(f"line {_line(event)}: it nests deeper than {DEPTH}")


class _Builder:
    """Turns nodes into values. An alias is counted each time: ten lines of them may stand for a billion values."""

    def __init__(self) -> None:
        self.count, self.above = 0, set[int]()

    def value(self, node: Any) -> Any:
        self.count += 1
        if self.count > NODES:
            raise _Fault(f"it has more than {NODES:,} values, those behind an alias (*name) counted each time")
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self.above:
            raise _Fault(f"line {_line(node)}: it holds itself, through an alias (*name)")
        self.above.add(id(node))
        try:
            if node.tag == f"{_TAG}seq":
                return [self.value(item) for item in node.value]
            if node.tag == f"{_TAG}map":
                return self._mapping(node)
        finally:
            self.above.discard(id(node))
        raise _Fault(f"line {_line(node)}: it has the tag {shortened(node.tag.removeprefix(_TAG))}; expected none")

    def _mapping(self, node: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node)
            if isinstance(key, dict | list):
                raise _Fault(f"line {_line(key_node)}: a key is a {type(key).__name__}; expected a name")
            key = key_node.value  # as written: `on` and `1` name a class as well as any word
            if key in values:
                raise _Fault(f"line {_line(key_node)}: key {shortened(key)} is there twice; expected each once")
            values[key] = self.value(value_node)
        return values


def _scalar(node: Any) -> Any:
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in yaml.SafeLoader.bool_values:
        return yaml.SafeLoader.bool_values[text.lower()]
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text) and isfinite(float(text)):
        return float(text)
    if kind in ("bool", "int", "float"):
        raise _Fault(f"line {_line(node)}: {ambiguous(text)}")
    raise _Fault(f"line {_line(node)}: it has the tag {shortened(kind)}; expected none")


def ambiguous(text: str) -> str:
    """Return what is wrong with a scalar that may be read as another number than is meant."""
    return (
        f"{shortened(text)} is a number in one version of YAML and not in another, or is not finite; expected decimal "
        "digits, or quotes around a text"
    )


def _line(found: Any) -> int:
    """Return the line on which a node or an event starts."""
    return int(found.start_mark.line) + 1
