"""Compose config/ and overrides into the text of params.yaml, or change settings of a composed text, with Hydra."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from trml.base.checkout import config_folder
from trml.base.errors import ConfigError
from trml.base.printable import one_line
from trml.base.yaml_reader import ambiguous, parse_yaml
from trml.config.load import check
from trml.config.messages import explain_hydra
from trml.corpora.registry import defaults as corpus_defaults
from trml.features.encoders.registry import defaults as encoder_defaults

_ROOT, _IN_FORCE = "config", "in_force"  # what Hydra starts from: config.yaml, or a composed configuration


def compose(overrides: list[str], config_dir: Path) -> str:
    """Return the YAML text that Hydra composes, checked.

    The text equals what `dvc exp run -S` writes for the same overrides.

    Args:
        overrides: Hydra overrides, as in `protocol.seeds=[2020]`.
        config_dir: The folder of config.yaml. Where config/ is absent, an installed wheel has its own.

    Raises:
        ConfigError: In one line a fault; an override with a mapping that leaves keys of the one in config/ in force is
            one.
    """
    config_dir = config_folder(config_dir)
    if not (config_dir / "config.yaml").is_file():
        raise ConfigError(
            f"{config_dir}/config.yaml does not exist; run this in the project's folder, or give --config"
        )
    _refuse_unreadable(overrides, config_dir)
    return _text(overrides, config_dir, _ROOT)


def change(settings: dict[str, Any], overrides: list[str], config_dir: Path, source: str) -> str:
    """Return the YAML text of a composed configuration with settings changed, checked.

    A choice (`encoder=NAME`) brings what it brings to the experiment that the configuration is named after; everything
    else stays as it is.

    Args:
        settings: The composed configuration, as YAML has it.
        overrides: As of `compose`, but for an experiment.
        config_dir: The folder of config.yaml.
        source: Its file, named in errors.

    Raises:
        ConfigError: In one line a fault, of the configuration or of an override.
    """
    config_dir = config_folder(config_dir)
    check(settings, source)
    _refuse_unreadable(overrides, config_dir)
    known = choices(config_dir)
    chosen = [each for each in overrides if each.partition("=")[0].lstrip("+") in known]
    if chosen:
        name, experiments = settings["name"], known.get("experiment", [])
        experiment = next((each for each in (name, name.rpartition("_")[0]) if each in experiments), None)
        base = [f"experiment={experiment}"] if experiment else []
        groups = {each.partition("=")[0].lstrip("+") for each in chosen}
        settings = _with_choices(settings, parse_yaml(compose([*base, *chosen], config_dir)), groups)
    _store(None, _IN_FORCE, _literal(settings))
    return _text([each for each in overrides if each not in chosen], config_dir, _IN_FORCE)


def _with_choices(settings: dict[str, Any], fresh: dict[str, Any], groups: set[str]) -> dict[str, Any]:
    """Return settings with what was chosen of some groups taken from a fresh composition."""
    changed = {**settings, **{group: fresh[group] for group in groups if group in fresh}}
    if "method" in groups:
        changed["methods"] = {name: settings["methods"].get(name, new) for name, new in fresh["methods"].items()}
    if groups & {"corpus", "encoder"}:
        changed["chosen"] = fresh["chosen"]  # what a search selected is of a corpus and an encoder
    return changed


def _literal(value: Any) -> Any:
    """Return a plain value as OmegaConf reads it back unchanged: its texts refer to nothing."""
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


def _text(overrides: list[str], config_dir: Path, root: str) -> str:
    """Return the YAML text of a root configuration with overrides, checked."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = _hydra(overrides, config_dir, root)
        resolved = _resolved(config)
    except (HydraException, OmegaConfBaseException) as error:
        keys = partial(_compose_keys, config_dir, root)
        raise ConfigError(explain_hydra(error, overrides, choices(config_dir), keys)) from None
    _refuse_merged(overrides, config)
    check(resolved, "")
    return str(OmegaConf.to_yaml(config, resolve=True))


def choices(config_dir: Path) -> dict[str, list[str]]:
    """Return the names to choose from by group: files in the folders of config_dir, and components without a file."""
    config_dir = config_folder(config_dir)
    groups = {
        folder.name: [path.stem for path in folder.glob("*.yaml")] for folder in config_dir.iterdir() if folder.is_dir()
    }
    for group, names in _defaults().items():
        groups[group] = [*groups.get(group, []), *(name for name in names if name not in groups.get(group, []))]
    return {group: sorted(names) for group, names in groups.items()}


def _defaults() -> dict[str, dict[str, Any]]:
    """Return the configurations of components that have no file in config/: those of extension packages, by group."""
    return {"corpus": corpus_defaults(), "encoder": encoder_defaults()}


def _hydra(overrides: list[str], config_dir: Path, root: str) -> Any:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    for group, configs in _defaults().items():
        for name, config in configs.items():
            if not (config_dir / group / f"{name}.yaml").is_file():
                _store(group, name, config)
    with initialize_config_dir(str(config_dir.resolve()), version_base=None):
        return hydra_compose(root, overrides=overrides)


def _store(group: str | None, name: str, config: Any) -> None:
    """Make Hydra find a configuration that has no file."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(group=group, name=name, node=config)


def _refuse_unreadable(overrides: list[str], config_dir: Path) -> None:
    """Refuse what Hydra's parser fails on without naming it, and a choice that is no name (`experiment=null`)."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    for override in overrides:
        try:
            parsed = parser.parse_override(override)
        except HydraException:
            continue  # worded when everything is composed
        except (ValueError, RecursionError) as error:  # an integer of 5,000 digits, a list 1,000 deep
            reason = str(error).partition(";")[0] if isinstance(error, ValueError) else "it nests too deeply"
            raise ConfigError(f"{one_line(override[:60])}: {reason}") from None
        if (number := _grouped(parsed.value(), override, parser)) is not None:
            raise ConfigError(f"{one_line(override[:60])}: {ambiguous(number)}")
        group = parsed.key_or_group.partition("@")[0]
        if group in choices(config_dir) and not parsed.is_delete() and not _is_choice(parsed.value()):
            raise ConfigError(f"{one_line(override[:60])}: expected the name of a file in {config_dir / group}")


def _grouped(value: Any, override: str, parser: Any) -> str | None:
    """Return a number whose digits are grouped, as in `1_000`, which YAML 1.1 alone takes for a number; None if none.

    The parser does not keep what was written. With a letter in the place of `_`, such a number is a text.
    """
    from hydra.errors import HydraException

    written = re.search(r"[0-9]_[0-9_.]*", override)
    if written is None:
        return None
    try:
        lettered = parser.parse_override(override.replace("_", "x")).value()
    except (HydraException, ValueError):
        return written[0]
    pairs = zip(_leaves(value), _leaves(lettered), strict=True)
    odd = (str(text) for number, text in pairs if isinstance(number, int | float) and isinstance(text, str))
    return next((text.replace("x", "_") for text in odd), None)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the keys and values of a value of Hydra's that are no lists and mappings."""
    if isinstance(value, dict):
        value = [each for pair in value.items() for each in pair]
    if not isinstance(value, list):
        yield value
        return
    for each in value:
        yield from _leaves(each)


def _is_choice(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(name, str) for name in value))


def _resolved(config: Any) -> Any:
    """Return a configuration with what its interpolations stand for; raise ConfigError with the key of one."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.to_container(config, resolve=True)
    except (OmegaConfBaseException, RecursionError) as error:
        reason = (str(error).splitlines() or ["it refers to itself"])[0].rstrip(".")
        key = getattr(error, "full_key", None) or next(_unresolved(config, ""), "the configuration")
        raise ConfigError(f"{key}: {reason}. Write \\${{...}} for a text that is no reference to a key") from None


def _unresolved(node: Any, prefix: str) -> Iterator[str]:
    """Yield the keys of a configuration whose interpolation cannot be resolved."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for key in node.keys() if OmegaConf.is_dict(node) else range(len(node)):
        place = f"{prefix}.{key}".lstrip(".")
        try:
            child = node[key]
        except (OmegaConfBaseException, RecursionError):
            yield place
            continue
        if OmegaConf.is_config(child):
            yield from _unresolved(child, place)


def _refuse_merged(overrides: list[str], config: Any) -> None:
    """Refuse a mapping as a value unless it is all that the key then holds: Hydra merges mappings."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    for override in OverridesParser.create().parse_overrides(overrides):
        given = override.value()
        found = OmegaConf.select(config, override.key_or_group) if isinstance(given, dict) else None
        left = sorted(map(str, set(found or ()) - set(map(str, given)))) if isinstance(given, dict) else []
        if left:
            key = override.key_or_group
            raise ConfigError(
                f"{override.input_line}: a mapping is merged into the one in config/, so {', '.join(left)} would stay. "
                f"Remove keys first: {' '.join(f'~{key}.{name}' for name in left)}"
            )


def _compose_keys(config_dir: Path, root: str, overrides: list[str]) -> list[str]:
    """Return all dotted keys of the composition with these overrides, for naming the nearest one."""
    from omegaconf import OmegaConf

    def walk(node: Any, prefix: str) -> list[str]:
        below = node.items() if isinstance(node, dict) else ()
        return [prefix, *(key for name, child in below for key in walk(child, f"{prefix}.{name}".lstrip(".")))]

    return walk(OmegaConf.to_container(_hydra(overrides, config_dir, root)), "")[1:]
