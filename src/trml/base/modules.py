"""Where python modules lie, and which components there are, found without importing them.

A component is a module, or a package, in the folder of its kind: `trml/methods/x.py`, `trml/corpora/x/`. A top-level
package whose name starts with `trml_` is an extension: its folders of the same names are looked through too
(`trml_mylab/corpora/x/`), so that nothing in this package has to be edited to add a component.
"""

import importlib.util
import pkgutil
from functools import lru_cache
from pathlib import Path

OWN = "trml"


@lru_cache
def module_file(name: str) -> Path | None:
    """Return the file of a python module, None where there is none. Its parent packages are not imported."""
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


@lru_cache
def extensions() -> tuple[str, ...]:
    """Return the top-level packages that components are looked for in: this one, then every `trml_*`, by name."""
    others = {found.name for found in pkgutil.iter_modules() if found.ispkg and found.name.startswith(f"{OWN}_")}
    return (OWN, *sorted(others))


def components(kind: str, file: str | None = None) -> dict[str, str]:
    """Return the components of a kind by name: the modules in its folder, in every package that has it.

    Args:
        kind: The folder, as in `evaluation.claims`. Names that start with `_`, and `common`, are no components.
        file: Where components are packages, the module of each that is wanted: `config` of `corpora/x/config.py`.

    Returns:
        Component name -> module name, in order of names; this package's own come first.
    """
    found: dict[str, str] = {}
    for package in extensions():
        folder = _folder(f"{package}.{kind}")
        for path in sorted(folder.glob("*.py" if file is None else f"*/{file}.py")) if folder else ():
            name = path.stem if file is None else path.parent.name
            if not name.startswith("_") and name != "common":
                inner = name if file is None else f"{name}.{file}"
                found.setdefault(name, f"{package}.{kind}.{inner}")
    return found


def _folder(package: str) -> Path | None:
    init = module_file(package)
    if init is not None:
        return init.parent if init.name == "__init__.py" else None
    top, *rest = package.split(".")
    base = module_file(top)
    folder = base.parent.joinpath(*rest) if base else None
    return folder if folder and folder.is_dir() else None
