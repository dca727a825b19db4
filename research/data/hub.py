"""Get one file of a dataset repository on the Hugging Face hub, through `huggingface_hub`.

`datasets.load_dataset` is not used: it would run or convert what lies there, and we want the publisher's bytes. A file
that this machine's hub cache has already is taken from there without asking the network. `HF_ENDPOINT` names another
server, `HF_TOKEN` is the user's key to files behind a form; both are the hub client's own variables.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from research.data.download import Progress, knock
from research.data.raw import HubFile, UnavailableError

_ENDPOINT = "https://huggingface.co"


def in_hub_cache(file: HubFile) -> Path | None:
    """Where this machine's hub cache has the file; no network is used."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(file.repo, file.path, revision=file.revision, repo_type="dataset")
    return Path(found) if isinstance(found, str) else None


def download_hub(
    file: HubFile, directory: Path, *, max_bytes: int, progress: Progress | None = None, connect_seconds: float = 3.0
) -> Path:
    """Download the file below ``directory``.

    Args:
        file: what.
        directory: where; the repository's folders are made below it.
        max_bytes: a longer file is refused before it is fetched.
        progress: is told how it goes.
        connect_seconds: time limit for reaching the host.

    Raises:
        UnavailableError: the hub cannot be reached, has no such file, or wants a key.
    """
    from huggingface_hub import errors, hf_hub_download

    endpoint = (os.environ.get("HF_ENDPOINT") or _ENDPOINT).rstrip("/")
    knock(endpoint, connect_seconds)

    where: dict[str, Any] = {
        "repo_id": file.repo,
        "filename": file.path,
        "repo_type": "dataset",
        "revision": file.revision,
        "local_dir": directory,
        "endpoint": endpoint,
    }
    try:
        size = hf_hub_download(**where, dry_run=True).file_size or 0
        if size > max_bytes:
            raise UnavailableError(f"{size:,} bytes announced, more than the limit of {max_bytes:,}")
        return Path(hf_hub_download(**where, tqdm_class=_bar(str(file), progress), dry_run=False))
    except errors.GatedRepoError:
        raise UnavailableError(
            f"its owner asks for an agreement: accept it at {endpoint}/datasets/{file.repo} and set HF_TOKEN"
        ) from None
    except errors.RepositoryNotFoundError:
        raise UnavailableError(f"the hub has no dataset {file.repo}, or not without a key (HF_TOKEN)") from None
    except errors.RevisionNotFoundError:
        raise UnavailableError(f"the dataset has no revision {file.revision}") from None
    except errors.RemoteEntryNotFoundError:
        raise UnavailableError(f"the dataset has no file {file.path} at revision {file.revision}") from None
    # All that the client raises otherwise is an OSError or a ValueError: no network, HF_HUB_OFFLINE, a body cut short.
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}") from None


def _bar(name: str, progress: Progress | None) -> type:
    """The hub client's progress bar, which tells us instead of the terminal."""
    from huggingface_hub.utils import tqdm

    class Reporting(tqdm):
        def __init__(self, *args: object, **settings: object) -> None:
            # disable=False: else it would not count, as what it writes to is no terminal.
            super().__init__(*args, **{**settings, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if progress:
                progress(name, int(self.n), int(self.total) if self.total else None)
            return shown

    return Reporting


class _Nowhere(io.StringIO):
    def write(self, text: str, /) -> int:
        return len(text)
