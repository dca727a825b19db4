"""A share of each user's history: the last part is tested, the part before it validated, the rest trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.data.histories import Histories
from research.data.split import Spans, Split, Splitter
from research.data.splits.successive import successive
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Ratio(Splitter):
    """Shares are rounded down, to no less than one; each target is asked for with everything of its user before it.

    Users of whom nothing would be left to train on are trained on whole and never evaluated. Active users have more
    targets and so weigh more in a mean over targets. The protocol leaks the future across users.
    """

    validation: float = 0.1
    """Share of a user's interactions that are validation targets."""
    test: float = 0.1
    """Share of a user's interactions that are test targets."""

    def __post_init__(self) -> None:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise UserError(
                f"split.validation is {self.validation:g} and split.test {self.test:g}; both must be above 0 and their "
                "sum below 1, so that something is left to train on."
            )

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: no user has enough interactions.
        """
        start_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
        length_U = histories.lengths
        test_U, validation_U = (_share(length_U, share) for share in (self.test, self.validation))
        held_U = length_U > test_U + validation_U
        if not held_U.any():
            raise UserError(
                f"Ratio on {histories.name!r}: no user has an interaction left to train on beside {self.validation:g} "
                f"to validate and {self.test:g} to test. Give longer histories or smaller shares."
            )
        users = np.arange(histories.n_users)
        test_first_U = stop_U - test_U
        first_U = np.where(held_U, test_first_U - validation_U, stop_U)
        held = users[held_U]
        return Split(
            name=f"ratio {self.validation:g} {self.test:g}",
            train=Spans(users, start_U, first_U),
            validation=successive(histories, held, first_U[held_U], test_first_U[held_U]),
            test=successive(histories, held, test_first_U[held_U], stop_U[held_U]),
        )


def _share(length_U: np.ndarray, share: float) -> np.ndarray:
    # 0.29 * 100 is 28.999999999999996: the hair that a product lacks is given back before it is cut.
    return np.maximum(np.floor(length_U * share + 1e-9).astype(np.int64), 1)
