"""The study file of an ablation: its words, its arms, what is left out, and the claims that it is to decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from research.ablation.arms import WHOLE, Arms, arms
from research.config import compose, options
from research.data.atomic import write_whole
from research.errors import UserError
from research.schema import nearest
from research.training.names import label

METRIC = "ndcg@10"
METRICS = ["recall@10", METRIC, "mrr@10"]
BASELINES = ["popularity", "ease"]


def model_words(words: Sequence[str]) -> list[str]:
    """Words of one model; the bare name of a model stands for ``model=NAME``.

    Raises:
        UserError: a word that is none, or one that the study says by itself.
    """
    said = []
    for word in words:
        if "=" not in word:
            known = options("model")
            if word not in known:
                mend = f"Say KEY=VALUE, or one of the models: {', '.join(known)}.{nearest(word, known)}"
                raise UserError(f"{word!r} is neither a word such as model=slirec nor a model. {mend}")
            word = f"model={word}"
        if word.startswith(("seed=", "baseline=")):
            raise UserError(f"{word}: an ablation is of a trained model over several seeds. Leave it out; see --seeds.")
        said.append(word)
    return said


def title(words: Sequence[str]) -> str:
    """What the model is called: ``slirec``, or ``transformer + gru, last_k, gated`` where no word names a model."""
    named = [word.partition("=")[2] for word in words if word.startswith("model=")]
    return named[-1] if named else label(compose(list(words)))


def write_ablation(
    words: Sequence[str], to: Path | None = None, *, seeds: int = 3, force: bool = False
) -> tuple[Path, Arms]:
    """Write the study that leaves out one part of a model at a time.

    Args:
        words: of the model, see ``model_words``.
        to: the file; ``None`` is ``ablate-<model>.yaml`` where the command is run.
        seeds: how many each arm gets.
        force: whether a file that is there is replaced.

    Returns:
        Where it lies, and its arms.

    Raises:
        UserError: the words make no model, nothing can be left out, or the file is there.
    """
    said = model_words(words)
    name = title(said)
    path = to or Path(f"ablate-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.yaml")
    if path.suffix not in (".yaml", ".yml"):
        raise UserError(f"{path}: a study file ends in .yaml.")
    if path.exists() and not force:
        raise UserError(f"{path} is there already. Give another --to, or --force to replace it.")
    if not path.parent.is_dir():
        raise UserError(f"{path.parent} is no directory. Make it first, or give another --to.")
    found = arms(said)
    if len(found.own) < 2:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in found.left_out)
        raise UserError(f"There is no part of {name} that could be left out. {reasons}")
    write_whole(path, _text(name, words, path, found, seeds).encode())
    return path, found


def _text(name: str, words: Sequence[str], path: Path, found: Arms, seeds: int) -> str:
    question = f"Which parts of {name} does its result need?"
    lines = [f"# {question}", f"# research study {path.name}", f"# Written by: research ablate {' '.join(words)}"]
    if found.left_out:
        lines += ["# Left out:", *(f"#   {each.name}: {each.reason}" for each in found.left_out)]
    lines += [f"question: {_flow(question)}", *_block("set", found.shared), "arms:"]
    lines += [f"  {_flow(arm)}: {_flow(own)}" for arm, own in found.own.items()]
    lines += [f"baselines: {_flow(BASELINES)}", f"seeds: {_flow(list(range(1, seeds + 1)))}"]
    lines += [f"metrics: {_flow(METRICS)}", f"baseline: {_flow({'arm': WHOLE})}"]
    lines += _block("claims", [f"{WHOLE} > {arm} on {METRIC}" for arm in found.own if arm != WHOLE])
    return "\n".join(lines) + "\n"


def _block(key: str, values: list[str]) -> list[str]:
    return [f"{key}:", *(f"  - {_flow(value)}" for value in values)] if values else []


def _flow(value: Any) -> str:
    """One line of YAML."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
