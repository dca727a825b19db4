"""The front door. Every command is a file of ``research/commands``, a few lines; what it does lives in the package.

Imports stand inside the commands, so that help answers at once.
"""

from __future__ import annotations

import sys
from typing import Any

import typer

from research.commands.ablate import ablate
from research.commands.compare import compare
from research.commands.data import data
from research.commands.doctor import doctor
from research.commands.fuse import fuse
from research.commands.models import models
from research.commands.recommend import recommend
from research.commands.report import report
from research.commands.reproduce import reproduce
from research.commands.status import status
from research.commands.study import study
from research.commands.sync import sync
from research.commands.table import table
from research.commands.train import train
from research.commands.truth import truth
from research.commands.tune import tune

app = typer.Typer(
    help="Does fusing long-term and short-term interest help? With which encoders, which fusion, on which data?\n\n"
    "Settings are Hydra-style words: GROUP=OPTION chooses a part (data, encoder@long, encoder@short, window, fusion, "
    "objective, loss, trainer, logger, baseline), KEY=VALUE sets a value (window.k=5, seed=3, trainer.max_epochs=20).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    data,
    models,
    train,
    tune,
    study,
    ablate,
    table,
    report,
    reproduce,
    fuse,
    recommend,
    truth,
    doctor,
    compare,
    sync,
    status,
)
for command in COMMANDS:
    app.command()(command)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; a mistake that the user can mend is one message and exit code 2."""
    from research.errors import UserError

    try:
        return app(args=arguments)
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("Stopped. What is finished is kept; the same command continues.", 130)
    except OSError as error:
        import errno

        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(
            f"{error.strerror}: {error.filename or 'the disk'}. What is finished is kept; the same command continues.",
            2,
        )


def _fail(message: str, code: int) -> None:
    from research.console import announce

    announce(f"error: {message}")
    sys.exit(code)
