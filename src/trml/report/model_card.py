"""The card of an exported model: README.md with the front matter that model hubs read, and its evaluation results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from trml.base.artifacts import read_json
from trml.base.errors import StoreError

_TEXT = """---
{front}
---

# {name}

{label} of the benchmark trml, one training of the published experiment `{experiment}`: on {missing}, seed {seed}, the
epoch with the lowest loss on dev ({epoch}). No seed was chosen by its scores.

- **Inputs**: features of {encoder} ({weights}) for {modalities}; every step's vector is shifted and scaled to zero mean
  and unit variance. A modality may be missing.
- **Output**: {output}.
- **Corpus**: {corpus}, {corpus_licence}.

## Use

```python
from pathlib import Path
from trml.training.model_folder import load_model

method = load_model(Path("."))  # a torch module; methods/contract.py says what it takes
```

## Limits

It was trained to compare methods, on the corpus named above and on features of the encoder named above alone. It says
nothing about people or clips outside that corpus.{terms}

## Evaluation

Scores of this training on test, by what is missing there (`metrics.csv` of the published results, cell `{cell}`).
Intervals over seeds and groups are on the page of the experiment.

{scores}

## Citation

```bibtex
{bibtex}
```
"""


def write_model_card(
    folder: Path, config: Mapping[str, Any], published: Path, label: str, licence: str, terms: str, bibtex: str
) -> None:
    """Write README.md of a model folder.

    Args:
        folder: Of the model.
        config: Its config.json.
        published: results/<experiment>, which the cell is of.
        label: The method's name in tables.
        licence: The corpus's, in words.
        terms: The corpus's, empty without any.
        bibtex: What to cite.

    Raises:
        StoreError: If the published results have no scores of the cell.
    """
    training, experiment = config["training"], read_json(published / "manifest.json")["experiment"]
    scores = pl.read_csv(published / "metrics.csv", schema_overrides={"cell": pl.String, "variant": pl.String})
    scores = scores.filter(cell=training["digest"]).select("condition", "metric", "value").unique(maintain_order=True)
    if scores.is_empty():
        raise StoreError(f"{published}/metrics.csv has no scores of cell {training['digest']}; export another one")
    corpus = training["corpus"].rpartition("-")[0]
    name = f"trml-{experiment}-{training['method']}"
    data = ModelCardData(
        model_name=name,
        language="en",
        license="other" if terms else "mit",
        library_name="trml",
        tags=["multimodal", "sentiment-analysis", "missing-modalities", training["method"]],
        datasets=[corpus],
        metrics=scores["metric"].unique(maintain_order=True).to_list(),
        eval_results=[_result(config["task"], corpus, row) for row in scores.iter_rows(named=True)],
    )
    text = _TEXT.format(
        front=data.to_yaml().strip(),
        name=name,
        label=label,
        experiment=experiment,
        missing=f"training data that lack {training['missing']} at rate {training['rate']:g}"
        if training["missing"] and training["rate"]
        else "complete training data",
        seed=training["seed"],
        epoch=training["best_epoch"],
        encoder=config["features"]["encoder"],
        weights=config["features"]["weights"],
        modalities=", ".join(config["signals"]),
        output=f"logits of {', '.join(config['classes'])}" if config["classes"] else "sentiment, about -3 to 3",
        corpus=corpus,
        corpus_licence=licence,
        terms=f" Terms of the corpus: {terms}" if terms else "",
        cell=training["digest"],
        scores=_table(scores),
        bibtex=bibtex,
    )
    ModelCard(text).save(folder / "README.md")


def _result(task: str, corpus: str, row: Mapping[str, Any]) -> EvalResult:
    return EvalResult(
        task_type="other",
        task_name=f"multimodal sentiment {task}",
        dataset_type=corpus,
        dataset_name=f"{corpus}, test, {row['condition']}",
        dataset_config=row["condition"],
        dataset_split="test",
        metric_type=row["metric"],
        metric_value=row["value"],
    )


def _table(scores: pl.DataFrame) -> str:
    lines = [f"| {condition} | {metric} | {value:.3f} |" for condition, metric, value in scores.iter_rows()]
    return "\n".join(["| missing | metric | value |", "|---|---|---|", *lines])


def licence_of(published: Path, corpus: str) -> str:
    """Return the licence of a published experiment's corpus in words, as its Croissant description has it."""
    return str(json.loads((published / "cards" / f"{corpus}.croissant.json").read_text())["license"][-1])
