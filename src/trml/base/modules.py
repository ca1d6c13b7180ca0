"""TODO docstring."""

import importlib.util
from functools import lru_cache
from pathlib import Path


@lru_cache
def module_file(name: str) -> Path | None:
    """The file of a python module, None where there is none. Its parent packages are not imported."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top) if top else None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder).joinpath(*rest)
        for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None
