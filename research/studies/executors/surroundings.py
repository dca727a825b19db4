"""What a process on another machine must be told, so that it finds what the command that sent it would find.

The directory that relative paths start from (``paths.runs``, a data file), the places that modules are imported from
(a checkout, a package of one's own), and the variables of the environment that decide where things lie or what may be
built. Secrets are not among them: a key for a tracker must lie on that machine.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from research.errors import UserError

ALSO = ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT", "WANDB_MODE", "WANDB_DIR")
"""Variables that are passed on beside RESEARCH_*."""


@dataclass(frozen=True)
class Surroundings:
    """Where a command was given.

    Attributes:
        directory: the working directory.
        variables: of the environment, PYTHONPATH among them.
    """

    directory: str
    variables: dict[str, str]

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process."""
        variables = {k: v for k, v in os.environ.items() if k.startswith("RESEARCH_") or k in ALSO}
        # What belongs to the interpreter is found by every interpreter; '' is the working directory.
        known = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        places = [Path(place).absolute() for place in sys.path if not place.endswith(".zip")]
        apart = [str(place) for place in places if not any(place.is_relative_to(root) for root in known)]
        return cls(str(Path.cwd()), {**variables, "PYTHONPATH": os.pathsep.join(dict.fromkeys(apart))})

    def enter(self) -> None:
        """Make them those of this process.

        Raises:
            UserError: this machine does not have the directory.
        """
        try:
            os.chdir(self.directory)
        except OSError as error:
            raise UserError(
                f"{os.uname().nodename} has no directory {self.directory} ({error.strerror}). Runs on other machines "
                "need a file system that all of them share: start the study there."
            ) from error
        os.environ.update(self.variables)
        places = self.variables["PYTHONPATH"].split(os.pathsep)
        sys.path[:0] = [place for place in places if place and place not in sys.path]
