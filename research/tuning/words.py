"""Which words of a command line are a space to search, and which are the arm: ``optimizer.lr=log(0.0003,0.01)``."""

from __future__ import annotations

from pathlib import Path

import yaml

from research.config import config_directory, option_file, options
from research.errors import UserError
from research.schema import nearest
from research.tuning.budget import Tune, read_tune
from research.tuning.space import Choice, Range, Space, read_word


def split_words(overrides: list[str]) -> tuple[list[str], dict[str, Range | Choice]]:
    """The words of the arm, and the space that the others are.

    A list in brackets is a space unless its group takes several options at once, such as ``augmentation=[crop,mask]``.

    Raises:
        UserError: a word begins as a range and is none.
    """
    arm, space = [], {}
    several = _groups_of_several()
    for word in overrides:
        key, _, value = word.partition("=")
        domain = None if key in several or key.startswith("paths.") else read_word(value)
        if domain is None:
            arm.append(word)
        else:
            space[key] = domain
    return arm, space


def usual_space(tune: Tune, arm: list[str]) -> Space:
    """The space of a file for the arm of these words: a baseline may have one of its own."""
    named = [word.partition("=")[2] for word in arm if word.startswith("baseline=")]
    return tune.baselines.get(named[-1], tune.space) if named else tune.space


def _groups_of_several() -> set[str]:
    """Groups whose default is a list of options."""
    root = yaml.safe_load((config_directory() / "train.yaml").read_text(encoding="utf-8"))
    entries = [entry for entry in root["defaults"] if isinstance(entry, dict)]
    return {group for entry in entries for group, option in entry.items() if isinstance(option, list)}


def read_tune_file(name: str) -> Tune:
    """Read ``configs/tune/<name>.yaml``, or a file by its path: what stands below ``tune:`` in a study.

    Raises:
        UserError: no such file, or a malformed one.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else option_file("tune", name)
    if not path.is_file():
        known = options("tune")
        raise UserError(
            f"There is no file {path} with a space to search. Known by name: {', '.join(known)}; else the path of one "
            f"that ends in .yaml.{nearest(name, known)}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {error}") from error
    return read_tune(content, str(path))
