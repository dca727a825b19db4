"""`research doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


def doctor(
    overrides: Overrides = None,
    mirror: Mirror = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Show versions, hardware, caches and disks, and check the instrument on simulated or other data, in seconds.

    Exit code 1 when a check fails.

    Example: [bold]research doctor[/bold], then [bold]research doctor data=ml-100k split=global_temporal[/bold]
    """
    from research.config import compose
    from research.console import announce, out, print_json
    from research.data.load import load
    from research.doctor.answer import print_checks, print_surroundings, surroundings
    from research.doctor.before_study import examine
    from research.doctor.check import failed

    use_mirrors(mirror)
    words = overrides or []
    named = [word for word in words if word.startswith("data=")] or ["data=simulated"]
    configs = [compose([data, *(word for word in words if not word.startswith("data="))]) for data in named]
    facts = surroundings(configs[0])
    if not as_json:
        print_surroundings(facts, out)
    examined = {}
    for data, config in zip(named, configs, strict=True):
        histories, split = load(config, announce=announce)
        checks = examine(config, histories, split)
        examined[data] = checks
        if not as_json:
            print_checks(f"The instrument on {histories.name}, {split.name}", checks, out)
    wrong = [(data, check) for data, checks in examined.items() for check in failed(checks)]
    if as_json:
        plain = {data: [check.plain() for check in checks] for data, checks in examined.items()}
        print_json({**facts, "checks": plain, "failed": len(wrong)})
    for data, check in wrong:
        announce(f"{data}: {check.sentence}")
    if wrong:
        raise typer.Exit(1)
