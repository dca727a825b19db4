"""Hydra's composition, of which the choice of files is made once for all values.

Words choose files (``fusion=gated``, ``+auxiliary=contrast``) or set values (``seed=3``, ``window.k=5``). Following the
choices through fifty files takes Hydra a quarter of a second, and the runs of a study differ by few choices and many
values. So what the choices give is kept, and values are set on a copy of it as Hydra sets them: parsed by its grammar,
merged by OmegaConf. Where a value cannot be set, Hydra composes all of it and says why in its own way.
"""

from __future__ import annotations

import copy
import os
from functools import lru_cache
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

Stamp = tuple[tuple[str, int, int], ...]


def composed(name: str, directories: list[Path], words: list[str]) -> DictConfig:
    """Compose a root file with words.

    Args:
        name: of the root file.
        directories: where configurations lie, the one of the root file first.
        words: in Hydra's grammar.

    Raises:
        HydraException: a word is wrong; OmegaConf's errors likewise.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    groups = {path.name for directory in directories for path in directory.iterdir() if path.is_dir()}
    values = [word for word in words if _sets_a_value(word, groups)]
    choices = tuple(word for word in words if word not in values)
    config = copy.deepcopy(_chosen(name, tuple(directories), choices, _stamp(directories)))
    overrides = OverridesParser.create().parse_overrides(values)
    if any(override.is_sweep_override() for override in overrides):
        return by_hydra(name, directories, words)
    try:
        for override in overrides:
            OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
    except OmegaConfBaseException:
        return by_hydra(name, directories, words)
    return config


def by_hydra(name: str, directories: list[Path], words: list[str]) -> DictConfig:
    """The same by Hydra alone: what the above is tested against."""
    from hydra import compose, initialize_config_dir

    shipped, *own = directories
    quoted = [f"'file://{str(path).replace(chr(39), chr(92) + chr(39))}'" for path in own]
    places = [f"hydra.searchpath=[{','.join(quoted)}]"] if own else []
    with initialize_config_dir(str(shipped), version_base="1.3"):
        return compose(name, overrides=[*places, *words])


def _sets_a_value(word: str, groups: set[str]) -> bool:
    """Whether a word changes a value that is there, and chooses no file: those with ``+``, ``~`` or ``@`` may."""
    key, sign, _ = word.partition("=")
    return bool(sign) and key[:1].isalpha() and key not in groups and not set(key) & set("@/ ") and key[:6] != "hydra."


@lru_cache(maxsize=256)
def _chosen(name: str, directories: tuple[Path, ...], choices: tuple[str, ...], stamp: Stamp) -> DictConfig:
    """What choices give, for as long as no file changes."""
    return by_hydra(name, list(directories), list(choices))


def _stamp(directories: list[Path]) -> Stamp:
    """Changes when a file is written, appears, or goes."""
    folders = [folder for directory in directories for folder, _, _ in os.walk(directory)]
    files = [file for folder in folders for file in os.scandir(folder) if file.name.endswith(".yaml")]
    return tuple(sorted((file.path, status.st_mtime_ns, status.st_size) for file in files for status in [file.stat()]))
