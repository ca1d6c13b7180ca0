"""Put into the wheel what a run reads beside the package (pyproject.toml has everything else).

In a checkout config/, workflow/ and the other files lie beside src/. A wheel has a copy of them in trml/project, where
trml.base.checkout finds it.
"""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = ("Snakefile", "CITATION.cff", "config", "workflow", "docs/recompute.py")


class BuildWithProject(build_py):
    """Build the package, and copy the project's files into it; an editable install has those of the checkout."""

    def run(self) -> None:
        """Build and copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "trml" / "project"
        for name in PROJECT:
            if Path(name).is_dir():
                copytree(name, target / name, dirs_exist_ok=True)
            else:
                self.mkpath(str((target / name).parent))
                self.copy_file(name, str(target / name))
        copytree("workflow/profiles", target / "profiles", dirs_exist_ok=True)  # a link in the checkout


setup(cmdclass={"build_py": BuildWithProject})
