"""Simulated viewers with a stable taste and a session taste: nothing to download, something to learn.

Items form clusters, and the items of a cluster form a ring. A user has a stable taste ``theta_u`` over
clusters. Each session has one cluster: a neighbour of the last session's, or drawn from the stable taste. The
next item follows

    p(i) = share * p_session(i) + (1 - share) * p_stable(i),    share = share_short * 2 ** (-gap / half_life)

where the gap is the time since the last interaction; without a half-life the share is ``share_short`` at all times.
``true_share`` gives it for every interaction, so what a fusion weighs can be compared with what was true: `research
truth`. Here ``p_session`` prefers the successors, on the session's ring, of its last item there and ``p_stable``
draws a cluster from ``theta_u`` and an item by popularity within it. Nobody sees an item twice. A session's
clicks lie minutes apart, some in the same second; sessions lie days apart. All users start within one year
from 2020-01-01 UTC. A title tells the cluster, which is the item's genre.

Carried along: ``session``; its ``scenario``, which is search or browse by the toss of a coin and moves ``share_short``
up or down by ``scenario_spread``; the ``domain`` of the item, to which every other genre belongs.

Shape legend: U users of one block, I items, C clusters, T steps, N interactions of all users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from research.data.about import About
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_START = 1_577_836_800  # 2020-01-01 00:00 UTC
_DAY = 86_400
_GENRES = ("Comedy", "Crime", "Western", "Romance", "Horror", "Musical", "War", "Mystery", "Sport", "Travel")
_BLOCK = 512  # users drawn at once: bounds the (U, I) arrays


@dataclass(frozen=True, kw_only=True)
class Simulated(Source):
    """Sessions of users with two tastes, from a seed."""

    version: ClassVar[int] = 3  # titles; carried columns
    n_users: int = 300
    """Users."""
    n_items: int = 200
    """Items, in clusters of about 20."""
    mean_length: float = 30.0
    """Mean interactions of a user, at least 5; a history is never longer than half the catalogue."""
    share_short: float = 0.6
    """How much of the next item the session taste decides, from 0 (nothing) to 1 (everything)."""
    scenario_spread: float = 0.0
    """How much more the session taste decides in a search, and how much less in a browsing session."""
    half_life_hours: float | None = None
    """Hours since the last interaction in which the session taste's share halves; null: it never fades."""
    seed: int = 0
    """Of all random draws."""

    def __post_init__(self) -> None:
        if self.n_users < 1:
            raise UserError(f"simulated: n_users is {self.n_users}; at least 1 is needed.")
        if self.n_items < 20:
            raise UserError(f"simulated: n_items is {self.n_items}; at least 20 are needed for one cluster.")
        if not 5 <= self.mean_length <= self.n_items / 2:
            raise UserError(
                f"simulated: mean_length is {self.mean_length:g}; it must lie between 5 and half of n_items "
                f"({self.n_items / 2:g}), as nobody sees an item twice."
            )
        if not 0 <= self.share_short <= 1:
            raise UserError(f"simulated: share_short is {self.share_short:g}; it is a share, from 0 to 1.")
        if not 0 <= self.scenario_spread <= min(self.share_short, 1 - self.share_short):
            raise UserError(
                f"simulated: scenario_spread is {self.scenario_spread:g}; with share_short={self.share_short:g} it "
                f"must lie between 0 and {min(self.share_short, 1 - self.share_short):g}, so that both sums are shares."
            )
        if self.half_life_hours is not None and self.half_life_hours <= 0:
            raise UserError(f"simulated: half_life_hours is {self.half_life_hours:g}; it must be above 0, or null.")
        if self.seed < 0:
            raise UserError(f"simulated: seed is {self.seed}; it must not be negative.")

    @property
    def name(self) -> str:
        return "simulated"

    @property
    def about(self) -> About:
        return About(users=self.n_users, items=self.n_items, times="seconds", licence="ours")

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        """Rows user by user, each user's in time order; users and items are numbered from 1."""
        import polars as pl

        user_N, item_N, time_N, _, session_N, search_N = self._all()
        cluster_I, _, _ = self._catalogue()
        # A user never has more sessions than items.
        columns = {"user": user_N + 1, "item": item_N + 1, "time": time_N, "session": user_N * self.n_items + session_N}
        columns["scenario"] = np.where(search_N, "search", "browse")
        columns["domain"] = np.where(cluster_I[item_N] % 2 == 0, "films", "series")
        return pl.DataFrame(columns)

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        """Each item's genre."""
        import polars as pl

        cluster_I, _, _ = self._catalogue()
        return pl.DataFrame({"item": np.arange(1, self.n_items + 1), "genre": [genre(c) for c in cluster_I.tolist()]})

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str]:
        cluster_I, place_I, _ = self._catalogue()
        numbered = enumerate(zip(cluster_I.tolist(), place_I.tolist(), strict=True), 1)
        return {str(item): f"{genre(cluster)}, part {place + 1}" for item, (cluster, place) in numbered}

    def true_share(self) -> np.ndarray:
        """``(N,)`` the session taste's share in the draw of each interaction, in the order of `read`.

        That is also the order of prepared histories without a selection. 0 where the session's cluster was used up.
        """
        return self._all()[3]

    def _all(self) -> tuple[np.ndarray, ...]:
        blocks = [self._block(first, min(first + _BLOCK, self.n_users)) for first in range(0, self.n_users, _BLOCK)]
        return tuple(np.concatenate(columns) for columns in zip(*blocks, strict=True))

    def _catalogue(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster and place on its ring of each item, and its popularity within the cluster."""
        rng = np.random.default_rng([self.seed, 0])
        n_clusters = self.n_items // 20
        cluster_I = rng.permutation(np.arange(self.n_items) % n_clusters)
        place_I = np.empty(self.n_items, dtype=np.int64)
        popularity_I = np.empty(self.n_items)
        for cluster in range(n_clusters):
            members = np.flatnonzero(cluster_I == cluster)
            place_I[members] = rng.permutation(len(members))
            weight = 1 / (1 + rng.permutation(len(members)))
            popularity_I[members] = weight / weight.sum()
        return cluster_I, place_I, popularity_I

    def _block(self, first: int, stop: int) -> tuple[np.ndarray, ...]:
        """All users from ``first`` to ``stop``, one step of all of them at a time.

        Returns:
            Users, items, times, shares, numbers of the user's sessions, whether these are searches.
        """
        cluster_I, place_I, popularity_I = self._catalogue()
        n_clusters = int(cluster_I.max()) + 1
        size_C = np.bincount(cluster_I)
        rng = np.random.default_rng([self.seed, 1, first])
        U = stop - first

        theta_UC = rng.dirichlet(np.full(n_clusters, 0.3), size=U)
        stable_UI = theta_UC[:, cluster_I] * popularity_I
        length_U = 5 + np.minimum(rng.geometric(1 / (self.mean_length - 4), size=U) - 1, self.n_items // 2 - 5)
        T = int(length_U.max())

        new_session_UT = rng.random((U, T)) < 1 / 6
        new_session_UT[:, 0] = True
        minutes_UT = rng.exponential(180.0, (U, T)) * (rng.random((U, T)) > 0.05)  # 5 % in the same second
        days_UT = _DAY * (0.5 + rng.exponential(3.0, (U, T)))
        gap_UT = np.where(new_session_UT, days_UT, minutes_UT).astype(np.int64)
        session_UT = np.cumsum(new_session_UT, axis=1, dtype=np.int64)
        # A stream of its own: without a spread, users are the same as if there were no scenarios.
        coin_US = np.random.default_rng([self.seed, 2, first]).random((U, T + 1)) < 0.5
        search_UT = np.take_along_axis(coin_US, session_UT, axis=1)
        level_UT = self.share_short + self.scenario_spread * np.where(search_UT, 1.0, -1.0)
        hours = self.half_life_hours
        fades_UT = level_UT * (np.ones((U, T)) if hours is None else 0.5 ** (gap_UT / (3600 * hours)))
        time_UT = _START + rng.integers(0, 365 * _DAY, size=(U, 1)) + np.cumsum(gap_UT, axis=1)

        item_UT, share_UT = np.zeros((U, T), dtype=np.int64), np.zeros((U, T))
        seen_UI = np.zeros((U, self.n_items), dtype=bool)
        session_U = _draw(theta_UC, rng)
        anchor_U = np.full(U, -1)  # the session's last item on its own ring; -1 when it has none yet
        for t in range(T):
            u = np.flatnonzero(length_U > t)  # who goes on; the arrays below have one row for each of them
            begins = new_session_UT[u, t] & (t > 0)
            # Drift: seven sessions in ten move to a neighbouring cluster, the others follow the stable taste.
            neighbour = (session_U[u] + rng.choice([-1, 1], len(u))) % n_clusters
            moved = np.where(rng.random(len(u)) < 0.7, neighbour, _draw(theta_UC[u], rng))
            session = session_U[u] = np.where(begins, moved, session_U[u])
            anchor = np.where(begins, -1, anchor_U[u])[:, None]

            ahead = (place_I - place_I[anchor]) % size_C[session][:, None]
            follow = np.where(anchor >= 0, 0.4**ahead, popularity_I)
            follow[(cluster_I != session[:, None]) | seen_UI[u]] = 0.0
            total = follow.sum(1, keepdims=True)
            share = np.where(total > 0, fades_UT[u, t, None], 0.0)  # 0: the ring was walked to its end
            share_UT[u, t] = share[:, 0]
            left = np.where(seen_UI[u], 0.0, stable_UI[u] + 1e-9)  # 1e-9: every unseen item stays possible
            mixed = share * follow / np.where(total > 0, total, 1.0)
            mixed += (1 - share) * left / left.sum(1, keepdims=True)

            item = item_UT[u, t] = _draw(mixed, rng)
            seen_UI[u, item] = True
            anchor_U[u] = np.where(cluster_I[item] == session, item, anchor[:, 0])

        alive_UT = np.arange(T) < length_U[:, None]
        user_UT = np.broadcast_to(np.arange(first, stop)[:, None], (U, T))
        columns = (user_UT, item_UT, time_UT, share_UT, session_UT, search_UT)
        return tuple(column_UT[alive_UT] for column_UT in columns)


def genre(cluster: int) -> str:
    """The name of a cluster, another one for each."""
    again = cluster // len(_GENRES)
    return f"{_GENRES[cluster % len(_GENRES)]}{f' {again + 1}' if again else ''}"


def _draw(weight_UX: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One column of each row, with probability proportional to its weight; a weight of 0 is never drawn."""
    cumulative_UX = np.cumsum(weight_UX, axis=1)
    threshold_U = rng.random(len(weight_UX)) * cumulative_UX[:, -1]
    return (cumulative_UX <= threshold_U[:, None]).sum(1)
