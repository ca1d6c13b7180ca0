"""What the Snakefile asks: which files there are to make, from what, and in which pass. Without Snakemake itself."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from trml.base.artifacts import WHOLE
from trml.base.commands import in_force, run_again
from trml.base.errors import TrmlError
from trml.base.lock import try_lock
from trml.base.progress import say
from trml.config.load import load
from trml.config.method_options import sees_sequences
from trml.planning.attic import bring_back
from trml.planning.blocks import Block
from trml.planning.compute import FOUND
from trml.planning.integrity import say_what_is_done, withdraw_damaged
from trml.planning.models import proposed_model
from trml.planning.plan import Plan, plans, searched
from trml.planning.sources import write_down
from trml.report.publish import is_published, require_place

_KINDS = ("corpus", "encoder", "features", "references", "evaluation", "probes", "results")  # folders of a plan
_GOING_ON = "TRML_GOING_ON"  # in the environment of a run that goes on with what another left undone


class Workflow:
    """The plans of the configuration in force, and the files between their rules.

    Args:
        params: The configuration file.
        is_main: Whether this is the process that the user started. Snakemake's jobs read the Snakefile again, and must
            change nothing.
    """

    def __init__(self, params: str, is_main: bool) -> None:
        in_force(params)
        self.params = params
        try:
            self.plans = plans(load(params))
            if is_main:
                os.environ[FOUND] = self.own.compute.device
                self.own.results  # noqa: B018  works every path out, so that faults are reported before anything runs
                require_place(Path("results") / self.own.named.published)  # now, not after all trainings
                write_down()
                bring_back(self.plans)
                withdraw_damaged(self.plans)
        except TrmlError as error:
            sys.exit(f"trml: {error}")  # one line; a WorkflowError would print a trace of the Snakefile
        self.blocks = {name: (plan, block) for plan in self.plans for name, block in plan.blocks.items()}
        self.search_blocks = {
            name: (plan, block) for plan in searched(self.plans) for name, block in plan.search_blocks.items()
        }
        self._every_block = {**self.search_blocks, **self.blocks}
        if is_main:
            say_what_is_done(self._every_block.values())
            self._bring_published()
        self.unfetched = {plan.params.corpus.name: plan for plan in self.plans if plan.unfetched}
        if is_main:
            for stamp in self.fetched_stamps:
                stamp.unlink(missing_ok=True)  # it is out of date
        self._lock: IO[str] | None = None

    @property
    def own(self) -> Plan:
        """The plan of the experiment's own dataset."""
        return self.plans[0]

    @property
    def threads(self) -> int:
        """The threads of a job that computes with torch: a part of its recipe, whatever --cores is."""
        return self.own.compute.threads

    @property
    def gpus(self) -> int:
        """The GPUs that a job that computes with torch takes."""
        return int(self.own.compute.device == "cuda")

    def shell_prefix(self, source: Path | None) -> str:
        """Return what every shell command starts with.

        The configuration's path is in the environment, not in the command: its content is in the names of outputs. A
        failure before `| tee` is a failure.

        Args:
            source: The folder of this package in the checkout, to put on Python's path. None if jobs run in
                environments of conda, which have it (workflow/envs/trml.post-deploy.sh): there Snakemake unsets
                PYTHONPATH, because it would mix two environments.
        """
        exports = f"TRML_PARAMS={shlex.quote(self.params)}"
        if source is not None:
            exports += f" PYTHONPATH={shlex.quote(str(source))}${{PYTHONPATH:+:$PYTHONPATH}}"
        prefix = f"set -euo pipefail; export {exports}; "
        return prefix.replace("{", "{{").replace("}", "}}")  # Snakemake formats it

    def wildcards(self) -> dict[str, str]:
        """Return the constraint of every wildcard: one name of a file or folder.

        A list of the known names would be in every pattern that Snakemake matches: with 2,200 blocks, a third of the
        time of a dry run. `plan_with` and `block` refuse others.
        """
        return dict.fromkeys((*_KINDS, "block", "fetched", "model"), "[^/]+")

    def plan_with(self, kind: str, name: str) -> Plan:
        """Return the first plan whose folder of this kind has the name.

        Raises:
            TrmlError: If no plan has it.
        """
        for plan in self.plans:
            if (folder := getattr(plan, kind)) and folder.name == name:
                return plan
        raise self._unknown(f"{kind} folder {name}")

    def block(self, name: str) -> tuple[Plan, Block]:
        """Return a block of the experiment or of the search on dev, with its plan.

        Raises:
            TrmlError: If there is no such block.
        """
        if name not in self._every_block:
            raise self._unknown(f"block {name}")
        return self._every_block[name]

    def _unknown(self, what: str) -> TrmlError:
        listed = f"trml status --folders --params {self.params}"
        return TrmlError(f"{what} is not in the plan of {self.params}. List what is: {listed}")

    def cost(self, name: str) -> int:
        """Return roughly how long a block takes, so that the longest starts first and all cores end together."""
        cells = self.block(name)[1].cells
        return sum(10 if sees_sequences(cell.spec.target) else 1 for cell in cells)

    # --- two passes ---
    # What is made of raw files is named by their content. So if some must be fetched first, a run has two passes: the
    # first fetches, and starts the second. A dry run shows all of it, under provisional names.

    @property
    def fetched_stamps(self) -> list[Path]:
        """The files that say that raw files have been fetched, one a corpus that lacks some."""
        return [Path("work/fetched") / name for name in self.unfetched]

    def in_this_pass(self, files: Sequence[Path], is_run: bool) -> Sequence[Path]:
        """Return the files, or in a first pass what must be fetched for them; `is_run`: this is no dry run."""
        return self.fetched_stamps if is_run and self.unfetched else files

    def start(self) -> None:
        """Lock the folder against another run. The system releases the lock however the run ends.

        Snakemake's own lock, switched off in the profile, stays after a kill and then refuses every further run.
        """
        Path("work").mkdir(exist_ok=True)
        self._lock = (Path("work") / ".lock").open("a+")
        try:
            is_mine = try_lock(self._lock)
        except OSError as error:
            say(f"work/ cannot be locked here ({error.strerror}): start no other run in it while this one works")
            return
        if not is_mine:
            self._lock.seek(0)
            whose = self._lock.read() or "unknown"
            sys.exit(f"trml: another run is at work in this folder ({whose}); wait for it to end, or stop it")
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} on {platform.node()} for {self.own.named.published}")
        self._lock.flush()

    def end_well(self, whole: bool) -> None:
        """Start the second pass if this was the first; or go on with a whole run that left something undone.

        After a kill Snakemake was seen to finish the one job that was cut off, and to end with success.
        """
        first = self.unfetched and all(stamp.is_file() for stamp in self.fetched_stamps)
        undone = whole and not self.unfetched and not all(path.exists() for path in self.everything())
        if first or (undone and _GOING_ON not in os.environ):
            if undone:
                os.environ[_GOING_ON] = "1"  # once: what is still undone then is no leftover of a kill
            if self._lock is not None:
                self._lock.close()
            os.execv(sys.executable, [sys.executable, "-m", "snakemake", *sys.argv[1:]])

    def end_badly(self) -> None:
        """Tell the user how to resume."""
        print(f"trml: finished work is kept. Resume with: {run_again()}", file=sys.stderr)

    # --- the files of each rule ---

    def everything(self) -> list[Path]:
        """Return what a whole run makes, intermediate folders included, so that damaged ones are made again."""
        folders = [
            folder / finished
            for plan in self.plans
            for folder, finished in plan.folders
            if folder != plan.encoder or not (plan.features / "features.json").exists()  # its work is done
        ]
        return [*folders, *self.blocks_done(), *self.published_stamps()]

    def corpora(self) -> list[Path]:
        """Return the finishing files of all corpora."""
        return [plan.corpus / "corpus.json" for plan in self.plans]

    def features(self) -> list[Path]:
        """Return the finishing files of all features."""
        return [plan.features / "features.json" for plan in self.plans]

    def blocks_done(self) -> list[Path]:
        """Return the files of the experiment's blocks."""
        return [block.done for _, block in self.blocks.values()]

    def models(self) -> list[Path]:
        """Return the finishing file of the proposed method's trained model, which DVC keeps."""
        model = proposed_model(self.own)
        return [model[0] / "config.json"] if model else []

    def model_files(self) -> list[Path]:
        """Return what that model is made of: the weights of its cell, and the features."""
        model = proposed_model(self.own)
        assert model is not None
        weights = [block.weights for block in self.own.blocks.values() if model[1] in block.cells]
        return [*weights, self.own.features / WHOLE]

    def evaluated(self) -> list[Path]:
        """Return the finishing files of all scores and claims."""
        return [plan.evaluation / "claims.json" for plan in self.plans]

    def search_done(self) -> list[Path]:
        """Return the files of the blocks of the search on dev."""
        return [block.done for _, block in self.search_blocks.values()]

    def raw_stamp(self, corpus: str) -> list[Path]:
        """Return what says that a corpus's raw files are fetched, if some are to be fetched."""
        plan = self.plan_with("corpus", corpus)
        return [Path("work/fetched") / plan.params.corpus.name] if plan.unfetched else []

    def is_encoded(self, features: str) -> bool:
        """Return whether features come from an encoder; a corpus that brings its features has no shards."""
        return not self.plan_with("features", features).is_given

    def encoder_files(self, features: str) -> list[Path]:
        """Return the finishing file of the encoder, if the workflow trains it."""
        encoder = self.plan_with("features", features).encoder
        return [encoder / "encoder.json"] if encoder else []

    def evaluated_files(self, evaluation: str) -> list[Path]:
        """Return what evaluation reads: cells, for the own dataset also those of the others, and the probes."""
        plan = self.plan_with("evaluation", evaluation)
        files = [path for each in (plan, *plan.others) for path in self._files_with_cells(each)]
        return [*files, plan.probes / "probes.json"] if plan.probes else files

    def _files_with_cells(self, plan: Plan) -> list[Path]:
        trainer = self.own if plan.moves_protocol else plan
        blocks = [block.done for block in trainer.blocks.values()]
        read = [(plan.corpus, "corpus.json"), (plan.features, "features.json"), (plan.references, "references.parquet")]
        return [*blocks, *(folder / finished for folder, finished in read)]

    def probed_files(self) -> list[Path]:
        """Return what the probes read: cells with their weights, media and features."""
        own = self.own
        return [*(block.weights for block in own.blocks.values()), own.corpus / WHOLE, own.features / WHOLE]

    def reported_files(self) -> list[Path]:
        """Return what the report reads."""
        own = [(self.own.probes, "probes.json"), (self.own.corpus, "corpus.json"), (self.own.features, "features.json")]
        return [*self.evaluated(), *(folder / finished for folder, finished in own if folder)]

    def _bring_published(self) -> None:
        """Take results from results/ where only they are here and what they were made from, as after `dvc pull`."""
        results, published = self.own.results, Path("results") / self.own.named.published
        assert results is not None
        if not results.exists() and self.own.evaluation.exists() and is_published(results.name, published):
            shutil.copytree(published, results)
            stamp = Path("work/published") / results.name
            stamp.parent.mkdir(exist_ok=True)
            stamp.touch()

    def published_stamps(self) -> Iterable[Path]:
        """Return the stamp of the rule that publishes, removed if results/ lacks what the configuration says."""
        results = self.own.results
        assert results is not None
        stamp = Path("work/published") / results.name
        published = Path("results") / self.own.named.published
        if not is_published(results.name, published):
            stamp.unlink(missing_ok=True)
        return [stamp]
