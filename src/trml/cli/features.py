"""Verbs on features: pretrain, encode, features. The workflow runs them."""

from pathlib import Path
from typing import Annotated

import typer

from trml.base.errors import CommandError, TrmlError
from trml.cli.common import Folder, Params, device_of, plan_of, remove


def pretrain(params: Params = None, folder: Folder = None) -> None:
    """Pretrain an encoder on the corpus. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.features.encoders.registry import pretrain as run

    plan = plan_of(params, folder, "encoder")
    config = plan.params.encoder
    if plan.encoder is None:
        raise TrmlError(f"encoder {config.name} is not pretrained by the workflow; there is nothing to do")
    device = device_of(plan)
    with new_folder(plan.encoder, "encoder.json") as made:
        run(config, plan.corpus, Path(plan.params.data), made, plan.params.seed, device)


def encode(
    params: Params = None,
    folder: Folder = None,
    shard: Annotated[str, typer.Option(metavar="I-of-N", help="part of the corpus to encode")] = "1-of-1",
) -> None:
    """Encode a shard of the corpus. Run by the workflow."""
    from trml.base.artifacts import write_json
    from trml.features.encode import encode_shard

    plan = plan_of(params, folder, "features")
    part, _, count = shard.partition("-of-")
    if not (part.isdigit() and count.isdigit() and 1 <= int(part) <= int(count)):
        raise CommandError(f"--shard is {shard}; expected I-of-N, as in 2-of-8")
    if plan.is_given:
        raise TrmlError(f"corpus {plan.params.corpus.name} brings its features; there is nothing to encode")
    own, data, device = (int(part) - 1, int(count)), Path(plan.params.data), device_of(plan)
    encode_shard(plan.params.encoder, plan.corpus, data, plan.encoder, plan.chunks, own, device)
    write_json(plan.chunks / f"{shard}.json", {"features": plan.features.name})


def features(params: Params = None, folder: Folder = None) -> None:
    """Gather encoded shards into features, or take those that the corpus brings. Run by the workflow."""
    from trml.base.artifacts import new_folder

    plan = plan_of(params, folder, "features")
    with new_folder(plan.features, "features.json", bulk=True) as made:
        if plan.is_given:
            from trml.features.given import take_given

            take_given(plan.corpus, made, plan.features.name)
        else:
            from trml.features.gather import gather

            gather(plan.params.encoder, plan.corpus, plan.encoder, plan.chunks, made, plan.features.name)
    remove(plan.chunks)
