"""Say which extra of the package brings a dependency that is not installed.

`pip install trml` brings what scores, statistics and claims need; extras bring the rest (pyproject.toml).
"""

import re
from importlib.metadata import PackageNotFoundError, requires

from trml.base.errors import PackageMissing

# Modules whose package has another name.
_PACKAGES = {"PIL": "pillow", "open_clip": "open_clip_torch", "skimage": "scikit-image"}
_REQUIREMENT = re.compile(r"(?P<package>[\w.-]+).*?(?:extra == ['\"](?P<extra>\w+)['\"])?$")


def extra_of(package: str) -> str | None:
    """Return the extra of trml that brings a package; None for a package that no extra brings."""
    try:
        found = [_REQUIREMENT.match(line) for line in requires("trml") or ()]
    except PackageNotFoundError:  # the source runs without being installed
        return None
    extras = {_plain(each["package"]): each["extra"] for each in found if each}
    return extras.get(_plain(package))


def lacking(package: str) -> PackageMissing:
    """Return the error that says how to install a package."""
    extra = extra_of(package)
    wanted = f"'trml[{extra}]'" if extra else package
    return PackageMissing(f"package {package} is not installed, and this needs it", command=f"pip install {wanted}")


def import_failed(error: ModuleNotFoundError) -> PackageMissing | None:
    """Return the error that says how to install what an import did not find; None if no extra of trml brings it."""
    module = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(module, module)
    return lacking(package) if extra_of(package) else None


def _plain(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
