"""Options that words choose, in two places where a person means something else than Hydra does.

``scoring=null``            leaves a part out. Hydra has no such word; it says ``~scoring``, and only of what is there.
``model=attrec window=session``   Hydra merges a model's file, values and all, behind every choice of parts, so the
                            model's ``window.k`` would enter any window. Here it goes with the model's own window only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from research.errors import UserError


def read_choices(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that a file of defaults chooses, by group, and all else that it says. Nothing without a file.

    Raises:
        UserError: the file is no YAML.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from error
    entries = [entry for entry in content.pop("defaults", None) or [] if isinstance(entry, dict)]
    return {key.removeprefix("override /"): option for entry in entries for key, option in entry.items()}, content


def left_out(overrides: list[str], usual: dict[str, Any], of_model: dict[str, Any]) -> list[str]:
    """The same words, in which ``GROUP=null`` is said in Hydra's way.

    Args:
        overrides: words of a command line.
        usual: options of the root file, by group.
        of_model: options that a named model chooses.

    Raises:
        UserError: a run cannot do without the group.
    """
    last = {word.partition("=")[0]: word.partition("=")[2].strip() for word in overrides}
    gone = [key for key, value in last.items() if value.lower() == "null" and key in usual]
    null = {f"{key}=null" for key in last if key in usual}  # also where a later word overrules it
    words = [word for word in overrides if word.partition("=")[0] not in gone and word not in null]
    for key in gone:
        if usual[key]:
            raise UserError(f"{key}=null: a run needs one; without a word it is {key}={usual[key]}.")
        if usual[key] is not None:
            words.append(f"{key}=[]")
        elif of_model.get(key) is not None:
            words.append(f"~{key}")
    return words


def chosen_anew(overrides: list[str], choices: dict[str, Any], values: dict[str, Any]) -> dict[str, list[str]]:
    """Nodes for which a word chooses another option than the model whose file sets values there, each with its words.

    ``["model=attrec", "width=8", "window=session", "window.gap=5"] -> {"window": ["window=session", "window.gap=5"]}``

    Args:
        overrides: words of a command line.
        choices: options by group without these words: the model's, and for the other groups those of the root file.
        values: what the model's file sets, by node.
    """
    split = [(word.partition("=")[0].lstrip("+~"), word) for word in overrides]
    said = {key: word.partition("=")[2] for key, word in split}
    found = {}
    for group, option in choices.items():
        node = group.rpartition("@")[2]
        if node not in values or group not in said:
            continue
        chosen = yaml.safe_load(said[group] or "null")
        if chosen != option and not isinstance(chosen, dict):  # a mapping is values for the option that stands there
            found[node] = [word for key, word in split if key == group or key.startswith(f"{node}.")]
    return found
