"""A constructor is the schema of its node: check a configuration against it, and build objects from it.

Keyword-only parameters are the keys, their annotations the allowed values, their defaults the values in ``configs/``.
Positional parameters come at run time (sizes, counts) and never stand in a file.

Nothing outside ``research.`` is ever built from a configuration unless the user names a further prefix in the
environment variable RESEARCH_TRUST: a configuration file from elsewhere cannot run code.
"""

from __future__ import annotations

import importlib
import inspect
import os
import types
import typing
from collections.abc import Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf

from research.errors import UserError

T = TypeVar("T")


def nearest(word: str, known: Sequence[str]) -> str:
    """The end of a message: the known word that was probably meant."""
    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def check(config: DictConfig, path: str = "") -> None:
    """Check every node that has a ``_target_`` against the constructor it names.

    Raises:
        UserError: an unknown key, a value of the wrong type, or a target that may not be built.
    """
    if "_target_" in config:
        cls = target_class(config._target_)
        # Of a dataclass itself: an inherited field is annotated in the words of the module that declares it.
        hints = typing.get_type_hints(cls if is_dataclass(cls) else cls.__init__)
        known = settings_of(cls)
        for key, value in config.items():
            if key == "_target_":
                continue
            where = f"{path}.{key}".lstrip(".")
            if key not in known:
                names = ", ".join(f"{path}.{k}" for k in known) or "none: it has no settings"
                raise UserError(f"There is no key {where!r}. Known here: {names}.{nearest(str(key), list(known))}")
            _check_value(where, value, hints.get(str(key), Any))
            if isinstance(value, DictConfig):  # a part of a part
                check(value, where)
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
        nearest(str(value), [str(a) for a in typing.get_args(hint)])
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


def target_class(target: str, kind: type[T] = object) -> type[T]:
    """The class that a ``_target_`` names, if it may be built from a configuration.

    Args:
        target: module and class.
        kind: what it must be a subclass of.

    Raises:
        UserError: the prefix is not trusted, the name is not a class defined in that module, or it is of another kind.
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
    if not issubclass(cls, kind):
        raise UserError(f"_target_: {target} is not a {kind.__name__}.")
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
    cls = target_class(node._target_, kind)
    settings = {str(k): OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for k, v in node.items()}
    settings.pop("_target_")
    return cls(*runtime, **settings)
