"""The verbs: in which group of the help each stands, what it does, and the module that holds its function.

Nothing else is imported, so `trml --help` costs no more than Python itself. A verb's function has its name, and its
module is imported when it is run.
"""

from typing import NamedTuple

HIDDEN = "Hidden"  # the group of verbs that rules, make and DVC call


class Verb(NamedTuple):
    """A verb: its group in the help, what it does, and the module of trml.cli with its function."""

    group: str
    summary: str
    module: str


VERBS = {
    "run": Verb("Run", "Run an experiment, from raw data to the report page", "running"),
    "status": Verb("Run", "Show progress, failures and time left", "watching"),
    "search": Verb("Run", "Select hyper-parameters on the dev split", "searching"),
    "show": Verb("Read", "Print the findings, a table or a claim", "showing"),
    "compare": Verb("Read", "Compare two results", "comparing"),
    "trace": Verb("Read", "Show where a number comes from", "tracing"),
    "verify": Verb("Read", "Check whether a result reproduces", "verifying"),
    "check": Verb("Your own", "Validate a folder of clips and texts", "data"),
    "fetch": Verb("Your own", "Download a corpus, after showing its terms", "fetching"),
    "predict": Verb("Your own", "Predict from a video, a picture or a text", "predicting"),
    "robustness": Verb("Your own", "Score the predictions of any model", "robustness"),
    "submit": Verb("Share", "Add predictions of your own code to every table", "sharing"),
    "merge": Verb("Share", "Join results of several runs or machines", "sharing"),
    "export": Verb("Share", "Pack a result into one archive", "exporting"),
    "cite": Verb("Share", "Print BibTeX for everything a result uses", "citing"),
    "methods": Verb("Look up", "List the methods, or describe one", "catalogue"),
    "corpora": Verb("Look up", "List the corpora, or describe one", "catalogue"),
    "encoders": Verb("Look up", "List the encoders, or describe one", "catalogue"),
    "experiments": Verb("Look up", "List the experiments, or describe one", "catalogue"),
    "compose": Verb("Maintain", "Write the configuration to params.yaml", "configuration"),
    "gc": Verb("Maintain", "Delete files in work/ that no experiment needs", "cleaning"),
    "schema": Verb(HIDDEN, "Print the JSON schema of params.yaml, or of what a verb prints", "configuration"),
    "corpus": Verb(HIDDEN, "Build a corpus from its raw files, or generate it", "data"),
    "pretrain": Verb(HIDDEN, "Pretrain an encoder on a corpus", "features"),
    "encode": Verb(HIDDEN, "Encode a shard of a corpus", "features"),
    "features": Verb(HIDDEN, "Gather encoded shards into features", "features"),
    "train": Verb(HIDDEN, "Train the cells of a block", "training"),
    "model": Verb(HIDDEN, "Write a trained model of the proposed method", "training"),
    "choose": Verb(HIDDEN, "Choose options by the trials of a search", "training"),
    "probe": Verb(HIDDEN, "Probe the virtual modalities", "results"),
    "refer": Verb(HIDDEN, "Fit the reference models", "results"),
    "evaluate": Verb(HIDDEN, "Score every cell and decide the claims", "results"),
    "report": Verb(HIDDEN, "Make tables, figures and the page", "results"),
    "publish": Verb(HIDDEN, "Copy finished results to results/", "results"),
    "headline": Verb(HIDDEN, "Write what DVC compares", "results"),
    "bring": Verb(HIDDEN, "Put an exported archive into work/", "results"),
    "plan": Verb(HIDDEN, "Another name of `trml status --folders`", "watching"),
    "accept": Verb(HIDDEN, "Accept the terms of a corpus; see `trml fetch`", "fetching"),
}

_SHORT = "Look up"  # a group whose verbs fit one line
_START = "Start: trml run (about ten minutes on two cores), trml show (now)"


def help_text(*, everything: bool = False) -> str:
    """Return the help of the command; `everything`: with the hidden verbs."""
    lines = ["usage: trml VERB [ARGUMENTS]", "Benchmark multimodal models when text or video is missing.", ""]
    groups = list(dict.fromkeys(verb.group for verb in VERBS.values()))
    width = max(map(len, (name for name, verb in VERBS.items() if verb.group != HIDDEN))) + 2
    for group in groups if everything else [group for group in groups if group != HIDDEN]:
        named = {name: verb.summary for name, verb in VERBS.items() if verb.group == group}
        if group == _SHORT:
            lines.append(f"  {group:<10}{', '.join(named)}")
            continue
        for i, (name, summary) in enumerate(named.items()):
            lines.append(f"  {group if i == 0 else '':<10}{name:<{width}}{summary}")
    more = "" if everything else "   Verbs of rules: trml --help --all"
    return "\n".join([*lines, "", f"Options and examples of a verb: trml VERB --help{more}", _START])
