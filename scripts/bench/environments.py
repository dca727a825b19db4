"""A virtual environment for each peer, built on first use in a cache directory; never ours.

Each peer pins old versions of what we need new, so they cannot live beside us. torch is installed first and pinned: any
of the peers would otherwise choose a build of its own, such as several gigabytes for CUDA. pip's own settings apply
(PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS); name an index of CPU builds there if yours has CUDA builds first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from research.data.atomic import write_whole
from research.errors import UserError

TORCH = "torch==2.13.0"
"""The torch of every environment, ours included: the libraries are compared, not their torch."""


@dataclass(frozen=True)
class Peer:
    """A library that is compared with.

    Attributes:
        name: as on the package index.
        requirements: what is installed behind torch, in one step.
        why: the hurdle that each further pin takes.
    """

    name: str
    requirements: tuple[str, ...]
    why: str


PEERS = {
    peer.name: peer
    for peer in (
        Peer("rectools", ("rectools[torch]==0.19.0",), "its own pins suffice"),
        Peer("replay-rec", ("replay-rec[torch]==0.22.0",), "its own pins suffice"),
        Peer(
            "recbole",
            ("recbole==1.2.1", "setuptools<81", "numpy<2", "pandas<3"),
            "imports pkg_resources through ray, uses np.bool8, and numpy below 2 cannot carry pandas 3",
        ),
    )
}


def python_of(peer: Peer, cache: Path, announce: Callable[[str], None]) -> Path:
    """The interpreter of a peer's environment, which is built if it is not there.

    Args:
        peer: one of ``PEERS``.
        cache: directory of the benchmark; the environment lies in ``envs/`` below it.
        announce: shows a line of text.

    Raises:
        UserError: it cannot be built; pip's last lines are in the message.
    """
    key = hashlib.sha256(json.dumps([TORCH, peer.requirements, sys.version]).encode()).hexdigest()[:8]
    home = cache / "envs" / f"{peer.name}-{key}"
    python, ready = home / "bin" / "python", home / "ready.txt"
    if ready.exists():
        return python
    announce(f"Building the environment of {peer.name} in {home} (about 2 GB, a few minutes).")
    shutil.rmtree(home, ignore_errors=True)  # what an interrupted build left: pip cannot tell how far it came
    home.parent.mkdir(parents=True, exist_ok=True)
    _run(peer, [sys.executable, "-m", "venv", str(home)])
    for requirements in ((TORCH,), peer.requirements):
        _run(peer, [str(python), "-m", "pip", "install", "--quiet", TORCH, *requirements])
    frozen = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, check=True).stdout
    write_whole(ready, frozen)  # last: its presence vouches for the rest
    return python


def _run(peer: Peer, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise UserError(
            f"The environment of {peer.name} cannot be built: {' '.join(command[1:])} failed.\n{tail}\n"
            "Mend pip's access to a package index, or leave the peer out: --peers with the others' names."
        )
