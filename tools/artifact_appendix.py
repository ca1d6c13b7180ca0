"""Write docs/artifact_appendix.md from the published results: each claim with its command, result and tolerance.

Usage: make docs. A test fails while the page and results/pantomime_full disagree. Only what was measured and is in the
results is said of time and disk.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.artifacts import read_json

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/artifact_appendix.md"
RESULTS = ROOT / "results/pantomime_full"

_TEXT = """# Artifact appendix

<!-- written by `make docs` from results/{name}: do not edit -->

What a reviewer of the artifact needs: how to get it, how to see that it works, and what each claim's result must be.

## The artifact

| | |
|---|---|
| licence | MIT, code and generated corpus |
| published results | `results/{name}` of {commit}, trml {trml} |
| data | none: the corpus is generated |
| hardware | the published results are of {machine}; no GPU |
| software | Python 3.11+ and make; `make env` installs the pinned packages (here Python {python}, torch {torch}) |
| time | {time} |
| disk | not recorded in the results; README.md has what an installation takes |

## Checklist

**Available**

- [ ] `git clone` the repository. LICENSE is MIT; CITATION.cff says how to cite it, `trml cite {name}` what else.
- [ ] `results/{name}` is there and whole: `cd results/{name} && sha256sum --check --quiet SHA256SUMS`
- [ ] `trml export {name}` packs what a deposit holds, after a run or `dvc pull`. The repository names no DOI yet.

**Functional**

- [ ] `make env` installs.
- [ ] `make test-fast` passes: the unit tests. `make test` runs all but the slow ones (`make test-slow`).
- [ ] `make results` runs every method on a subset of the study and writes `results/pantomime/report/index.html`.

**Reproduced**

- [ ] `{command}` trains the {cells} cells of the study and writes `results/{name}`.
- [ ] `trml verify {name}` ends with exit code 0: *Same* on one machine, *Within statistics* on another.
- [ ] The verdicts below are those of the run: `results/{name}/claims.md`.

## Claims

One command judges every claim: `{command}`. Its result is in `results/{name}`.

On the machine of the published results every number must have the same bytes. On another one a result is reproduced if
no verdict turns from supported to refuted or back, and every method's scores are equivalent to the published ones
within {margin} {unit} (`trml verify {name}`). Comparisons are counted for the claim / against it / undecided.

| claim | training | expected verdict | comparisons | see |
|---|---|---|---|---|
{claims}

Training is as the experiment has it, or under one of its further protocols ([methods.md](methods.md)). A claim that is
refuted is reproduced if it is refuted again.
"""


def appendix(results: Path = RESULTS) -> str:
    """Return the page."""
    manifest = read_json(results / "manifest.json")
    own = read_json(results / "claims.json")
    margins = [row["margin"] for claim in own for row in claim["comparisons"] if row["margin"]]
    machine, versions = manifest["machine"], manifest["versions"]
    return _TEXT.format(
        name=manifest["experiment"],
        commit=f"commit `{(manifest['git_commit'] or 'unknown')[:7]}`",
        trml=versions["trml"],
        python=versions["python"],
        torch=versions["torch"],
        machine=machine.get("processor") or f"{machine['system']}, {machine['machine']}",
        time=_time(manifest),
        command=manifest["command"],
        cells=f"{_trainings(results):,}",
        margin=f"{min(margins):.3f}",
        unit=own[0]["unit"],
        claims="\n".join(_rows(results)),
    )


def _trainings(results: Path) -> int:
    """Return how many trainings there were. Protocols that share one share its cell."""
    return len(
        {cell for path in results.glob("metrics*.csv") for cell in pl.read_csv(path, infer_schema=False)["cell"]}
    )


def _time(manifest: dict[str, Any]) -> str:
    """Return what the results say of time: the sum over all trainings. The wall time of the run is not in them."""
    minutes = manifest["training_wall_s"] / 60
    return (
        f"{minutes:.0f} minutes for all trainings of the own dataset, summed over the jobs; other stages not recorded"
    )


def _rows(results: Path) -> Iterator[str]:
    for path in sorted(results.glob("claims*.json"), key=lambda path: (path.stem != "claims", path.stem)):
        dataset = path.stem.removeprefix("claims").removeprefix("_")
        for claim in read_json(path):
            sides = [row["speaks"] for row in claim["comparisons"]]
            counts = (
                sides.count("for"),
                sides.count("against"),
                len(sides) - sides.count("for") - sides.count("against"),
            )
            table = f"claim_{claim['id'].lower()}{f'_{dataset}' if dataset else ''}"
            if not (results / f"tables/{table}.csv").is_file():
                continue  # a dataset that other claims compare with, and that judges none of its own
            about = f"{claim['id']}: {claim['text']} | {dataset or 'own'} | {claim['verdict']}"
            yield f"| {about} | {'/'.join(map(str, counts))} | `tables/{table}.csv` |"


if __name__ == "__main__":
    PAGE.write_text(appendix())
