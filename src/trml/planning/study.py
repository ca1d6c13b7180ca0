"""What stages are told of a configuration: what is compared, and how cells are trained."""

from collections.abc import Sequence
from pathlib import Path

from trml.base.digests import digest, file_digest
from trml.config.params import Params
from trml.evaluation.config import CARD, Submitted, read_card
from trml.evaluation.contract import Purpose, Study, StudyMethod
from trml.methods.config import DEFAULT
from trml.planning.grid import default_options, is_shaped_by_missing, variants
from trml.training.contract import Settings, Training


def settings_of(params: Params) -> Settings:
    """Return how the cells of a dataset are trained."""
    training = params.training
    return Settings(
        experiment_seed=params.seed,
        corpus=params.corpus.name,
        epochs=training.epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        clip_norm=training.clip_norm,
        chunk=None if training.chunk == "auto" else training.chunk,
    )


def study_of(
    params: Params, name: str, dataset: str | None, purpose: Purpose, submitted: Sequence[Submitted] = ()
) -> Study:
    """Return what is compared on a dataset.

    Args:
        params: The configuration of the dataset.
        name: The experiment's name, with the dataset's if it is a further one.
        dataset: The further dataset's name.
        purpose: What the dataset is there for.
        submitted: Predictions of other people's code.
    """
    protocol = params.protocol
    return Study(
        name=name,
        dataset=dataset,
        purpose=purpose,
        corpus=params.corpus.name,
        modalities=params.modalities,
        methods=tuple(
            StudyMethod(
                method,
                c.label,
                c.role,
                is_shaped_by_missing(c),
                default_options(params, c),
                tuple(variants(params, c)),
            )
            for method, c in params.methods.items()
        ),
        training=protocol.training,
        victims=tuple(protocol.victims),
        rates=tuple(protocol.rates),
        study_rate=protocol.study_rate,
        complete=tuple(protocol.complete),
        labels=protocol.labels,
        told=protocol.told,
        label_noise=protocol.label_noise,
        absence=protocol.absence,
        weighted=protocol.weighted,
        seeds=tuple(protocol.seeds),
        shown_rates=tuple(params.report.conditions),
        seed=params.seed,
        submitted=tuple(submitted),
    )


def is_handed_on(study: Study, training: Training) -> bool:
    """Return whether a training is the default of its method on complete data, of any seed.

    A method that is another model for each pattern has none such: then it is the one for the first modality missing.
    Scores choose nothing.
    """
    single = study.by_name[training.method].single
    rate = study.study_training_rate if single else 0.0
    return (
        training.variant == DEFAULT
        and (training.rate, training.dev_rate) == (rate, rate)
        and (not single or training.victim == study.single_victims[0])
    )


def is_kept(study: Study, training: Training) -> bool:
    """Return whether a training is such a one of the proposed method, whose weights stay in the store."""
    return study.by_name[training.method].role == "proposed" and is_handed_on(study, training)


def submitted_to(folder: Path) -> list[Submitted]:
    """Return what was submitted to an experiment; `folder`: submissions/<experiment>."""
    cards = sorted(folder.glob(f"*/{CARD}"))
    return [Submitted(card.parent.name, read_card(card).label, _checksum(card.parent)) for card in cards]


def _checksum(folder: Path) -> str:
    return digest([(path.name, file_digest(path)) for path in sorted(folder.iterdir()) if path.is_file()])
