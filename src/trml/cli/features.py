"""Verbs on features: pretrain, encode, features. The workflow runs them."""

import argparse
from pathlib import Path

from trml.base.errors import TrmlError
from trml.cli.common import Verbs, add_folder, add_verb, device_of, plan_of, remove


def pretrain(arguments: argparse.Namespace) -> None:
    """Pretrain an encoder on the corpus. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.features.encoders.registry import pretrain as run

    plan = plan_of(arguments)
    config = plan.params.encoder
    if plan.encoder is None:
        raise TrmlError(f"encoder {config.name} is not pretrained by the workflow; there is nothing to do")
    device = device_of(plan)
    with new_folder(plan.encoder, "encoder.json") as folder:
        run(config, plan.corpus, Path(plan.params.data), folder, plan.params.seed, device)


def encode(arguments: argparse.Namespace) -> None:
    """Encode a shard of the corpus. Run by the workflow."""
    from trml.base.artifacts import write_json
    from trml.features.encode import encode_shard

    plan = plan_of(arguments)
    part, _, count = arguments.shard.partition("-of-")
    if not (part.isdigit() and count.isdigit() and 1 <= int(part) <= int(count)):
        raise TrmlError(f"--shard is {arguments.shard}; expected I-of-N, as in 2-of-8")
    if plan.is_given:
        raise TrmlError(f"corpus {plan.params.corpus.name} brings its features; there is nothing to encode")
    shard, data, device = (int(part) - 1, int(count)), Path(plan.params.data), device_of(plan)
    encode_shard(plan.params.encoder, plan.corpus, data, plan.encoder, plan.chunks, shard, device)
    write_json(plan.chunks / f"{arguments.shard}.json", {"features": plan.features.name})


def features(arguments: argparse.Namespace) -> None:
    """Gather encoded shards into features, or take those that the corpus brings. Run by the workflow."""
    from trml.base.artifacts import new_folder

    plan = plan_of(arguments)
    with new_folder(plan.features, "features.json", bulk=True) as folder:
        if plan.is_given:
            from trml.features.given import take_given

            take_given(plan.corpus, folder, plan.features.name)
        else:
            from trml.features.gather import gather

            gather(plan.params.encoder, plan.corpus, plan.encoder, plan.chunks, folder, plan.features.name)
    remove(plan.chunks)


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    add_folder(add_verb(verbs, pretrain), "encoder")
    verb = add_verb(verbs, encode)
    add_folder(verb, "features")
    verb.add_argument("--shard", default="1-of-1", metavar="I-of-N", help="part of the corpus to encode (default: all)")
    add_folder(add_verb(verbs, features), "features")
