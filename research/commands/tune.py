"""`research tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Mirror, use_mirrors


def tune(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="Words as for train; KEY=log(a,b), KEY=uniform(a,b), KEY=whole(a,b) and KEY=[a,b,c] are searched.",
            show_default=False,
        ),
    ] = None,
    mirror: Mirror = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="Runs to try.")] = None,
    sampler: Annotated[str | None, typer.Option("--sampler", help="tpe, random or grid.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the sampler and of the trials' runs.")] = None,
    prune: Annotated[bool | None, typer.Option("--prune/--no-prune", help="End trials below the median.")] = None,
    space: Annotated[
        str, typer.Option("--space", help="A file of configs/tune, or a path; used where no word is searched.")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")] = False,
) -> None:
    """Choose values on validation items alone; print the trials and the best words. A killed tuning continues.

    Example: [bold]research tune data=ml-100k fusion=gated optimizer.lr=log(0.0003,0.01) dropout=[0.1,0.2,0.5]
    --trials 8[/bold]
    """
    from dataclasses import replace

    from research.training.lean_imports import import_lightning

    import_lightning()
    from research.config import compose
    from research.console import announce, print_json, print_tuning
    from research.errors import UserError
    from research.progress import training_bar
    from research.studies.once import locked
    from research.tuning.arm import Tuning
    from research.tuning.tune import tune as run_trials
    from research.tuning.words import read_tune_file, split_words, usual_space

    use_mirrors(mirror)
    arm, searched = split_words(overrides or [])
    usual = read_tune_file(space)
    asked = {"trials": trials, "sampler": sampler, "seed": seed}
    changes = {key: value for key, value in asked.items() if value is not None}
    if prune is not None:
        changes["prune"] = "median" if prune else None
    budget, chosen_from = replace(usual.budget, **changes), searched or usual_space(usual, arm)
    budget.check(chosen_from, "space")
    if twice := [word for word in arm if word.partition("=")[0] in chosen_from]:
        raise UserError(f"{twice[0]}: the tuning chooses that value; leave the word out, or name the space in words.")
    directory = Path(compose(arm).paths.runs) / "tune" / "tuning"
    tuning = Tuning(tuple(arm), chosen_from, budget, directory, {})
    tuning.check_reach()
    with locked(directory / f".{tuning.stem}.lock", tuning.title), training_bar() as report:
        result = run_trials(tuning, report=report, announce=announce)
    if as_json:
        print_json(result)
    else:
        print_tuning(result, arm)
    if result["status"] == "failed":
        announce(result["reason"])
        raise typer.Exit(1)
