"""Compose, check and hash a configuration; build objects from it.

Groups and overrides are Hydra's (its compose API only). A constructor is the schema of its node: keyword-only
parameters are the keys, their annotations the allowed values, their defaults the values in ``configs/``. Positional
parameters come at run time (a width, a catalogue size) and never stand in a file.

Nothing outside ``research.`` is ever built from a configuration unless the user names a further prefix in the
environment variable RESEARCH_TRUST: a configuration file from elsewhere cannot run code.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import re
import types
import typing
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from research.errors import UserError

T = TypeVar("T")

COSMETIC = ("paths", "logger")
"""Keys that cannot change a number: left out of a run's identity."""


def config_directory() -> Path:
    """Where the shipped configurations lie: beside the package in a checkout, inside it when installed."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "configs"


def compose(overrides: list[str], name: str = "train") -> DictConfig:
    """Compose ``configs/<name>.yaml`` with Hydra-style overrides and check every value.

    Args:
        overrides: such as ``["data=ml-100k", "encoder@long=gru", "window.k=5"]``.
        name: the root file.

    Returns:
        The resolved configuration, read-only.

    Raises:
        UserError: a wrong group, option, key or value; the message names the alternatives.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException

    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        try:
            config = hydra_compose(name, overrides=overrides)
            OmegaConf.resolve(config)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(_explain(error, hydra_compose(name))) from error
    check(config)
    OmegaConf.set_readonly(config, True)
    return config


def options(group: str) -> list[str]:
    """Names of the options of a group: ``options("fusion") -> ["attention", ...]``."""
    return sorted(path.stem for path in (config_directory() / group).glob("*.yaml"))


def _explain(error: Exception, config: DictConfig) -> str:
    """One sentence for what Hydra says in several, with the alternatives."""
    text = str(error)
    if match := re.search(r"Could not find '([\w-]+)/([^']*)'", text):
        group, option = match.groups()
        known = options(group)
        return f"There is no {group} called {option!r}. Known: {', '.join(known)}.{_nearest(option, known)}"
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
        return f"There is no key {key!r}. Known here: {', '.join(near)}.{_nearest(key, [*known, *groups])}"
    return " ".join(text.split())


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


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


def check(config: DictConfig, path: str = "") -> None:
    """Check every node that has a ``_target_`` against the constructor it names.

    Raises:
        UserError: an unknown key, a value of the wrong type, or a target that may not be built.
    """
    if "_target_" in config:
        cls = target_class(config._target_)
        hints = typing.get_type_hints(cls.__init__)
        known = settings_of(cls)
        for key, value in config.items():
            if key == "_target_":
                continue
            where = f"{path}.{key}".lstrip(".")
            if key not in known:
                names = ", ".join(f"{path}.{k}" for k in known) or "none: it has no settings"
                raise UserError(f"There is no key {where!r}. Known here: {names}.{_nearest(str(key), list(known))}")
            _check_value(where, value, hints.get(str(key), Any))
        return
    for key, value in config.items():
        if isinstance(value, DictConfig):
            check(value, f"{path}.{key}".lstrip("."))


def _check_value(where: str, value: Any, hint: Any) -> None:
    """Compare one value with an annotation: scalars, ``Literal``, ``None``, unions and lists of these."""
    if not _fits(value, hint):
        allowed = _describe(hint)
        raise UserError(f"{where}={value} is not a value it can have. Expected {allowed}.{_near_literal(value, hint)}")


def _near_literal(value: Any, hint: Any) -> str:
    return (
        _nearest(str(value), [str(a) for a in typing.get_args(hint)])
        if typing.get_origin(hint) is typing.Literal
        else ""
    )


def _fits(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is Any or hint is inspect.Parameter.empty:
        return True
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    if origin in (list, tuple):
        element = (typing.get_args(hint) or (Any,))[0]
        return OmegaConf.is_list(value) and all(_fits(v, element) for v in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is type(None):
        return value is None
    return isinstance(value, hint) if isinstance(hint, type) else True


def _describe(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(a) for a in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(option) for option in typing.get_args(hint))
    if origin in (list, tuple):
        return f"a list of {_describe(typing.get_args(hint)[0])}"
    names = {
        int: "a whole number",
        float: "a number",
        str: "a word",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(hint, str(hint))


def target_class(target: str) -> type:
    """The class that a ``_target_`` names, if it may be built from a configuration.

    Raises:
        UserError: the prefix is not trusted, or the name is not a class defined in that module.
    """
    named = [name.strip().rstrip(".") for name in os.environ.get("RESEARCH_TRUST", "").split(",")]
    trusted = [f"{name}." for name in ("research", *filter(None, named))]
    if not any(target.startswith(prefix) for prefix in trusted):
        raise UserError(
            f"_target_: {target} lies outside of what a configuration may build ({', '.join(trusted)}). "
            "If you trust that package, name its prefix in the environment variable RESEARCH_TRUST."
        )
    module, _, name = target.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"_target_: {target} does not exist: {error}.") from error
    # The class must be at home there: else a module's own imports (os, subprocess) would be reachable.
    if not inspect.isclass(cls) or cls.__module__ != module:
        raise UserError(f"_target_: {target} is not a class of {module}.")
    return cls


def settings_of(cls: type) -> dict[str, inspect.Parameter]:
    """The keys of a class's node: its keyword-only parameters."""
    parameters = inspect.signature(cls).parameters
    return {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}


def build(node: DictConfig, kind: type[T], *runtime: Any) -> T:
    """Build the object of a node.

    Args:
        node: has a ``_target_`` and the keyword arguments.
        kind: what it must be a subclass of.
        runtime: positional arguments that exist only at run time.

    Raises:
        UserError: the target may not be built, or is of another kind.
    """
    cls = target_class(node._target_)
    if not issubclass(cls, kind):
        raise UserError(f"_target_: {node._target_} is not a {kind.__name__}.")
    settings = {str(k): OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for k, v in node.items()}
    settings.pop("_target_")
    return cls(*runtime, **settings)


def canonical(config: DictConfig) -> dict[str, Any]:
    """What decides the numbers of a run: no cosmetic keys, and nothing of a branch that the fusion does not read."""
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    for key in COSMETIC:
        plain.pop(key, None)
    if plain.get("baseline"):
        return {key: plain[key] for key in ("data", "split", "baseline")}
    plain.pop("baseline", None)
    branches = getattr(target_class(plain["fusion"]["_target_"]), "branches", ())
    for branch, owned in (("long", ("long",)), ("short", ("short", "window"))):
        if branch not in branches:
            for key in owned:
                plain.pop(key)
    plain.pop("dropout")  # a dial: its value stands in every part that uses it
    return plain


def identity(config: DictConfig) -> str:
    """SHA-256 of the canonical configuration; with the seed for a model, without for a deterministic baseline."""
    return hashlib.sha256(json.dumps(canonical(config), sort_keys=True).encode()).hexdigest()
