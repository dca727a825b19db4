"""Leave-one-out, with a share of the users never trained on: what a model does for somebody it has not met.

Every user is asked for in the same way, and each query says whether its user is cold, so one table compares the two.

Shape legend: U users, Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from research.data.draw import check_seed, check_share, drawn
from research.data.histories import Histories
from research.data.split import LeaveOneOut, Queries, Split, Splitter
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class UserCold(Splitter):
    """Of a cold user all but the two targets is input only; users with fewer than three interactions are not asked for.

    As leave-one-out, the protocol leaks the future across users.
    """

    share: float = 0.2
    """Share of the users that are cold, rounded down, to no less than one."""
    seed: int = 0
    """Of the draw of cold users."""

    def __post_init__(self) -> None:
        check_share("share", self.share)
        check_seed(self.seed)

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: no user has three interactions, or nobody is left to train on.
        """
        whole = LeaveOneOut()(histories)
        cold_U = drawn(histories.user_ids, self.share, self.seed)

        def labelled(queries: Queries) -> Queries:
            return replace(queries, cold=cold_U[queries.user])

        cold_S = cold_U[whole.train.user]
        if cold_S.all():
            raise UserError(f"User-cold split of {histories.name!r}: nobody is left to train on. Lower split.share.")
        return Split(
            name=f"user-cold {self.share:g}, seed {self.seed}",
            train=whole.train.take(~cold_S),
            validation=labelled(whole.validation),
            test=labelled(whole.test),
            dropped=whole.train.take(cold_S),
        )
