"""What a configuration changes in its experiment, in words; a part that is added or removed is one entry."""

import json
from collections.abc import Mapping
from typing import Any

_ABSENT = "absent"  # as planning/naming.py has it
_SHOWN = 60  # characters of a value


def changes(moved: Mapping[str, tuple[Any, Any]], experiment: str | None) -> list[str]:
    """Return the changes: what is left out, what is added, then each value with the experiment's own."""
    parts: dict[tuple[str, str], list[str]] = {}
    values = []
    for key, (before, now) in moved.items():
        names = key.split(".")
        is_part = len(names) > 2 and names[0] in ("methods", "datasets")
        # A part that is there in both has a label or purpose in both, so that these are not among what was moved.
        whole = f"{names[0]}.{names[1]}.{'purpose' if names[0] == 'datasets' else 'label'}" if is_part else ""
        added = moved.get(whole, ("", ""))
        if _ABSENT in added:
            words = "without" if added[1] == _ABSENT else "with"
            listed = parts.setdefault((words, names[0]), [])
            listed += [names[1]] * (names[1] not in listed)
        else:
            values.append(f"{key} is {_value(now)} ({experiment}: {_value(before)})")
    return [*(f"{words} the {kind} {', '.join(names)}" for (words, kind), names in parts.items()), *values]


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
