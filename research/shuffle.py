"""Control: a view's items change places before they are encoded. What is lost then is what order was worth.

Each asked position has views of its own, from the start of its window (or of its row) up to itself. The items of such
a view, the latest included, are put in a random order, and the state is read behind the last of them. So:

- nothing is added to a view. A permutation of whole *rows* would bring items from behind a position before it, and
  next-item training would read its answers. The price: views no longer share a pass of a causal encoder. A shuffled
  long view costs a history a position while training; a short one little more than its window, a test next to nothing;
- the target is in no view, and does not move;
- places keep their times and their number: what happened when is mixed up, how much happened when is not;
- an encoder that reads some latest items only (Caser) has those mixed, so that it reads the same ones.

While training, every step draws anew. A test draws from user, position and the run's seed alone, so that batches and
processes change nothing, and validation, which chooses the epoch, is done as the test is. With ``training: false`` the
model is that of a run without shuffling: is the order used that it was trained with? With both: what can be learned
without it? Dropout has masks of its own for each view, where views in order share those of a token.

Klenitskiy et al. ("Does It Look Sequential?", RecSys 2024, arXiv 2408.12008) shuffle what trained models are shown at
the test, and find several well-known data sets hardly sequential; here that is ``shuffle=both shuffle.training=false``,
but that the epoch is chosen under the same test.

Shape legend: B rows, T positions, D width, N asked positions, C views of a group, L its longest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.chains import chains
from research.encoders.rows import Rows, take
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Shuffle:
    """Which views are shuffled, and when.

    Attributes:
        long: the view of the history.
        short: the view of the window.
        training: while training.
        evaluation: in validation and test.
    """

    long: bool
    short: bool
    training: bool = True
    evaluation: bool = True

    def __post_init__(self) -> None:
        if not (self.long or self.short) or not (self.training or self.evaluation):
            raise UserError(
                "shuffle: nothing is shuffled. One of shuffle.long and shuffle.short should be true, and one of "
                "shuffle.training and shuffle.evaluation; or say shuffle=null."
            )


class ShuffledEncoder(Encoder):
    """An encoder that is handed its views in random order; it learns and counts as it would without."""

    causal = True

    def __init__(self, encoder: Encoder, shuffle: Shuffle, seed: int) -> None:
        """Wrap a causal encoder.

        Args:
            encoder: of one of the views; a control may have it read both.
            shuffle: which views, and when.
            seed: of what is drawn for a test.
        """
        super().__init__()
        self.encoder, self.shuffle, self.seed = encoder, shuffle, seed
        self.interests, self.reach = encoder.interests, encoder.reach

    @property
    def user_table(self) -> Tensor | None:
        return self.encoder.user_table

    def encode(self, rows: Rows) -> Tensor:
        """Never: one row of states would need one order, and each position has its own.

        Raises:
            UserError: always.
        """
        raise UserError("shuffle: this fusion reads states of whole histories, which have no order of their own.")

    def forward(
        self, rows: Rows, at: Positions, start_N: Tensor | None = None, initial_ND: Tensor | None = None
    ) -> Tensor:
        """``(N, D)`` states of shuffled views; arguments as of any encoder."""
        view = self.shuffle.long if start_N is None else self.shuffle.short
        if not view or not (self.shuffle.training if self.training else self.shuffle.evaluation):
            return self.encoder(rows, at, start_N, initial_ND)
        first_N = torch.zeros_like(at.position_N) if start_N is None else start_N
        found, asked = [], []
        for group in chains(at, first_N, rows.shape, share=False):
            views = rows.cut(group.element_CL, group.length_C)
            chosen = Positions(*(every[group.representative_C] for every in (at.row_N, at.position_N)))
            place_CL = self._places(group.length_C, group.element_CL.shape[1], rows, chosen)
            mixed = rows.cut(group.element_CL.gather(1, place_CL), group.length_C)
            views = replace(views, x_BTD=mixed.x_BTD, items_BT=mixed.items_BT)
            if initial_ND is not None:
                views = replace(views, initial_BD=take(initial_ND, group.representative_C))
            found.append(self.encoder.states(views, group.at))
            asked.append(group.asked_M)
        return take(torch.cat(found), torch.cat(asked).argsort())

    def _places(self, length_C: Tensor, longest: int, rows: Rows, at: Positions) -> Tensor:
        """``(C, L)`` which place each place takes its item from; those behind a view's length stay."""
        if self.training:
            # Torch's generator is seeded for every epoch: a resumed run draws the same.
            key_CL = torch.rand(len(length_C), longest).to(length_C.device)
        else:
            assert rows.users_B is not None, "a test is drawn for each user"
            key_CL = drawn(self.seed, rows.users_B[at.row_N], at.position_N, longest)
        place_L = torch.arange(longest, device=length_C.device)
        unread_C = torch.zeros_like(length_C) if self.reach is None else length_C - self.reach
        key_CL = key_CL.masked_fill(place_L < unread_C[:, None], -1.0)
        key_CL = key_CL.masked_fill(place_L >= length_C[:, None], 2.0)
        return key_CL.argsort(dim=1, stable=True)


def drawn(seed: int, user_C: Tensor, position_C: Tensor, longest: int) -> Tensor:
    """``(C, L)`` numbers in [0, 1), a function of seed, user, position and place alone."""
    place_L = torch.arange(longest, device=user_C.device)
    mixed_CL = _mixed(_mixed(_mixed(user_C + seed) + position_C)[:, None] + place_L)
    return (mixed_CL >> 11 & (1 << 53) - 1).double() / 2.0**53


def _mixed(number: Tensor) -> Tensor:
    """SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); 64-bit arithmetic wraps around."""
    number = number + _signed(0x9E3779B97F4A7C15)
    number = (number ^ (number >> 30 & (1 << 34) - 1)) * _signed(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> 27 & (1 << 37) - 1)) * _signed(0x94D049BB133111EB)
    return number ^ (number >> 31 & (1 << 33) - 1)


def _signed(number: int) -> int:
    return number - (1 << 64)
