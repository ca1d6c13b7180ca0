"""Find the files of python modules, and the components of each kind, without importing them.

A component is a module or a package in the folder of its kind: `trml/methods/x.py`, `trml/corpora/x/`. A top-level
package whose name starts with `trml_` is an extension: its folders of the same names are scanned too
(`trml_mylab/corpora/x/`), so a component is added without editing this package.
"""

import importlib.util
import pkgutil
from functools import cache
from pathlib import Path

OWN = "trml"


@cache
def module_file(name: str) -> Path | None:
    """Return the file of a python module, or None if it has none. Parent packages are not imported."""
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


@cache
def extensions() -> tuple[str, ...]:
    """Return the top-level packages that are scanned for components: this one, then every `trml_*` by name."""
    others = {m.name for m in pkgutil.iter_modules() if m.ispkg and m.name.startswith(f"{OWN}_")}
    return (OWN, *sorted(others))


def components(kind: str, file: str | None = None) -> dict[str, str]:
    """Return the components of a kind: the modules in its folder, in every scanned package.

    Args:
        kind: The folder, as in `evaluation.claims`. `common` and names that start with `_` are not components.
        file: For components that are packages, the module to return of each: `config` for `corpora/x/config.py`.

    Returns:
        Component name -> module name, in order of names, this package's own first.
    """
    modules: dict[str, str] = {}
    for package in extensions():
        folder = _folder(f"{package}.{kind}")
        for path in sorted(folder.glob("*.py" if file is None else f"*/{file}.py")) if folder else ():
            name = path.stem if file is None else path.parent.name
            if not name.startswith("_") and name != "common":
                inner = name if file is None else f"{name}.{file}"
                modules.setdefault(name, f"{package}.{kind}.{inner}")
    return modules


def _folder(package: str) -> Path | None:
    """Return the folder of a package, which need not have an `__init__.py`; None if there is none."""
    init = module_file(package)
    if init is not None:
        return init.parent if init.name == "__init__.py" else None
    top, *rest = package.split(".")
    base = module_file(top)
    folder = base.parent.joinpath(*rest) if base else None
    return folder if folder and folder.is_dir() else None
