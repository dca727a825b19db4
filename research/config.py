"""Compose and hash a configuration. Groups and overrides are Hydra's (its compose API only)."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from research.choices import chosen_anew, left_out, read_choices
from research.composition import composed
from research.errors import UserError
from research.schema import check, nearest, target_class

COSMETIC = ("paths", "logger")
"""Keys that cannot change a number: left out of a run's identity."""

DIALS = ("dropout", "blocks", "heads", "layers")
"""Keys whose value stands in every part that uses them, so that the parts alone say what is run."""


def config_directory() -> Path:
    """Where the shipped configurations lie: beside the package in a checkout, inside it when installed."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "configs"


def config_directories() -> list[Path]:
    """The shipped configurations, and behind them the user's own: the directories that RESEARCH_CONFIGS names.

    Several are parted as in PATH. One holds folders as ``configs/`` does, such as ``encoder/mine.yaml``.

    Raises:
        UserError: one does not exist, or has a file that an earlier one has too and that would never be read.
    """
    found = [config_directory()]
    for name in filter(None, os.environ.get("RESEARCH_CONFIGS", "").split(os.pathsep)):
        own = Path(name).expanduser().absolute()
        if not own.is_dir():
            raise UserError(f"RESEARCH_CONFIGS names {own}, which is no directory.")
        for path in sorted(own.glob("**/*.yaml")):
            if twice := [d for d in found if (d / path.relative_to(own)).exists()]:
                raise UserError(f"{path} has the name of a file of {twice[0]}, which is read first. Give it another.")
        found.append(own)
    return found


def option_file(group: str, option: str) -> Path:
    """Where an option is written down: ``option_file("fusion", "gated")``; it need not exist."""
    paths = [directory / group / f"{option}.yaml" for directory in config_directories()]
    return next((path for path in paths if path.is_file()), paths[0])


def compose(overrides: list[str], name: str = "train") -> DictConfig:
    """Compose ``configs/<name>.yaml`` with Hydra-style overrides and check every value.

    A model's own values go with its own choice of parts. Where a word chooses another part (``model=attrec
    window=session``), what the model says of that part is dropped; words such as ``window.gap=10`` always win.

    Args:
        overrides: such as ``["data=ml-100k", "encoder@long=gru", "window.k=5"]``.
        name: the root file.

    Returns:
        The resolved configuration, read-only.

    Raises:
        UserError: a wrong group, option, key or value, and the message names the alternatives; or a file is no YAML.
    """
    from hydra.errors import HydraException

    directories = config_directories()
    try:
        config = _with_model(name, directories, overrides)
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        # The alternatives are those of the other words: what loss.precision may be called depends on the loss.
        rest = [word for word in overrides if f"'{word.partition('=')[0]}'" not in str(error)]
        try:
            config = _with_model(name, directories, rest)
        except HydraException:
            config = _with_model(name, directories[:1], [])
        raise UserError(_explain(error, config)) from error
    except yaml.YAMLError as error:  # it names the file and the line
        raise UserError(f"A configuration is not readable YAML: {' '.join(str(error).split())}") from error
    check(config)
    OmegaConf.set_readonly(config, True)
    return config


def _with_model(name: str, directories: list[Path], overrides: list[str]) -> DictConfig:
    """What Hydra composes, with the parts that words chose in place of a model's own as they are without the model."""
    model = [word.partition("=")[2] for word in overrides if word.startswith("model=")]
    usual, _ = read_choices(option_file("", name))
    of_model, values = read_choices(option_file("model", model[-1])) if model else ({}, {})
    config = composed(name, directories, left_out(overrides, usual, of_model))
    for node, words in chosen_anew(overrides, {**usual, **of_model}, values).items():
        part = composed(name, directories, left_out(words, usual, {}))
        with open_dict(config):
            if node in part:
                config[node] = part[node]
            else:
                config.pop(node, None)
    return config


def options(group: str) -> list[str]:
    """Names of the options of a group, the user's own too: ``options("fusion") -> ["attention", ...]``."""
    return sorted(path.stem for directory in config_directories() for path in (directory / group).glob("*.yaml"))


def _explain(error: Exception, config: DictConfig) -> str:
    """One sentence for what Hydra says in several, with the alternatives."""
    text = str(error)
    if match := re.search(r"Could not find '([\w-]+)/([^']*)'", text):
        group, option = match.groups()
        known = options(group)
        return f"There is no {group} called {option!r}. Known: {', '.join(known)}.{nearest(option, known)}"
    if match := re.search(r"Could not override '([^']+)'", text):
        key = match[1]
        known = _keys(config)
        groups = [p.name for p in config_directory().iterdir() if p.is_dir()]
        if key.split("@")[0] == "encoder":
            return f"{key!r}: an encoder belongs to a view. Say encoder@long=... or encoder@short=..."
        parent = key.rpartition(".")[0]
        near = [k for k in known if k.rpartition(".")[0] == parent] or sorted(
            {k.split(".")[0] for k in known} | set(groups)
        )
        return f"There is no key {key!r}. Known here: {', '.join(near)}.{nearest(key, [*known, *groups])}"
    return " ".join(text.split())


def _keys(config: DictConfig, prefix: str = "") -> list[str]:
    """All dotted keys of a configuration, ``_target_`` left out."""
    keys = []
    for key in config:
        if key != "_target_":
            keys.append(f"{prefix}{key}")
            node = config._get_node(key)
            if isinstance(node, DictConfig) and not node._is_none():
                keys += _keys(node, f"{prefix}{key}.")
    return keys


def canonical(config: DictConfig) -> dict[str, Any]:
    """What decides the numbers of a run: no cosmetic keys, and nothing of a branch that the fusion does not read."""
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    for key in COSMETIC:
        plain.pop(key, None)
    if plain["data"].get("malformed") == "error":  # what would have stopped a run has changed no number of it
        del plain["data"]["malformed"]
    if plain.get("baseline"):
        return {key: plain[key] for key in ("data", "selection", "split", "evaluation", "baseline") if key in plain}
    plain.pop("baseline", None)
    fusion = target_class(plain["fusion"]["_target_"])
    branches = getattr(fusion, "branches", ())
    if "long" not in branches:
        plain.pop("long")
        # Where a long view ends is nothing to a fusion without one.
        plain["overlap"] = plain["overlap"] or not getattr(fusion, "twin", False)
    if "short" not in branches:
        plain.pop("short")
        plain.pop("recent_mask", None)
        if plain["overlap"]:
            plain.pop("window")
    _shuffled(plain, branches, twin=getattr(fusion, "twin", False))
    for dial in DIALS:
        plain.pop(dial)
    return plain


def _shuffled(plain: dict[str, Any], branches: tuple[str, ...], *, twin: bool) -> None:
    """Of the control ``shuffle`` keep what reaches a view that is read; nothing where nothing is shuffled."""
    control = plain.pop("shuffle", None)
    if control:
        control["long"] = control["long"] and ("long" in branches or twin)
        control["short"] = control["short"] and "short" in branches
        if control["long"] or control["short"]:
            plain["shuffle"] = control


def identity(config: DictConfig) -> str:
    """SHA-256 of the canonical configuration; with the seed for a model, without for a deterministic baseline."""
    return hashlib.sha256(json.dumps(canonical(config), sort_keys=True).encode()).hexdigest()
