"""What to try next: a function of the budget's seed and the trials that have ended, and of nothing else.

Optuna asks one sampler for one trial after another, so a proposal depends on what that sampler drew before. Here each
trial has a sampler of its own, seeded by its number, over a study in memory that holds the trials that have ended. A
tuning that was killed therefore proposes what it would have proposed.

Optuna: Akiba et al., KDD 2019. TPE: Bergstra et al., NeurIPS 2011; multivariate as of Optuna 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

from research.errors import UserError
from research.training.seeds import derive, generator
from research.tuning.budget import Budget
from research.tuning.space import Choice, Range, Scalar, Space

if TYPE_CHECKING:
    import optuna


def need_optuna() -> None:
    """See that Optuna is there, and keep it quiet.

    Raises:
        UserError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise UserError("Tuning needs Optuna, which is an extra: pip install 'interest-fusion[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def seed_of(budget: Budget, number: int) -> int:
    """The seed of the sampler of one trial, as NumPy takes it: 32 bits."""
    return derive(budget.seed, "proposal", number) % 2**32


def propose(
    budget: Budget, space: Space, ended: Sequence[optuna.trial.FrozenTrial], *, warm_up: int = 0
) -> tuple[optuna.Study, optuna.Trial]:
    """The next trial, and the study in memory that it belongs to.

    Args:
        budget: names sampler, pruner and seed.
        space: what may be chosen.
        ended: all earlier trials, in order.
        warm_up: epochs before which no trial is pruned.
    """
    import optuna

    number = len(ended)
    study = optuna.create_study(
        direction="maximize",
        sampler=_sampler(budget, number),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=budget.startup, n_warmup_steps=warm_up)
        if budget.prune == "median"
        else optuna.pruners.NopPruner(),
    )
    study.add_trials(ended)
    if budget.sampler == "grid":
        study.enqueue_trial(_grid(budget, space)[number])
    return study, study.ask(distributions(space))


def distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    """The space in Optuna's terms."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def one(domain: Range | Choice) -> optuna.distributions.BaseDistribution:
        if isinstance(domain, Choice):
            return CategoricalDistribution(domain.values)
        if domain.whole:
            return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
        return FloatDistribution(domain.low, domain.high, log=domain.log)

    return {key: one(domain) for key, domain in space.items()}


def _grid(budget: Budget, space: Space) -> list[dict[str, Scalar]]:
    """All points in an order drawn by the seed. Optuna's own sampler would stop a loop that is not running."""
    domains = [domain.values for domain in space.values() if isinstance(domain, Choice)]
    points = [dict(zip(space, values, strict=True)) for values in product(*domains)]
    return [points[index] for index in generator(budget.seed, "grid").permutation(len(points))]


def _sampler(budget: Budget, number: int) -> optuna.samplers.BaseSampler:
    from optuna import samplers

    seed = seed_of(budget, number)
    if budget.sampler != "tpe":
        return samplers.RandomSampler(seed=seed)
    return samplers.TPESampler(seed=seed, n_startup_trials=budget.startup, multivariate=True, constant_liar=False)
