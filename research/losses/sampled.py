"""A loss that compares the right item with some drawn ones, so that its cost does not grow with the catalogue.

This base class draws, looks up, scores and masks; a subclass is one formula. Negatives are drawn anew for every step,
either once for all its positions (``shared``: one product of matrices) or for each position on its own. A drawn item
that is the right one is masked. Items of the user's past may be drawn, as in gSASRec and RecTools; SASRec's own code
leaves them out, as ``avoid=training`` does.

Shape legend: N supervised positions, D width, K negatives, C positions of a chunk.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.losses.avoid import Avoid
from research.losses.base import Loss
from research.losses.draw import Draw, Source

NUMBERS = 2**24
"""Numbers that a chunk of positions may hold beside its interests; more chunks are computed twice instead of kept."""


@dataclass(frozen=True)
class Compared:
    """Scores of the right items and of the drawn ones.

    Attributes:
        own_C: of the right items, float32 or better.
        other_CK: of the drawn items.
        hit_CK: where a drawn item is the right one, to be left out.
        own_log_q_C: log-probability of drawing the right item.
        other_log_q_CK: of drawing the drawn ones; ``(1, K)`` when they are shared.
    """

    own_C: Tensor
    other_CK: Tensor
    hit_CK: Tensor
    own_log_q_C: Tensor
    other_log_q_CK: Tensor


class SampledLoss(Loss):
    """Constructed as ``SampledLoss(count_I, negatives=, source=, exponent=, shared=)``."""

    sampled: ClassVar[bool] = True

    def __init__(self, count_I: Tensor, *, negatives: int, source: Source, exponent: float, shared: bool) -> None:
        """Choose the negatives.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for a step (shared) or for each position.
            source: ``uniform``, ``popularity`` or ``batch``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.

        Raises:
            UserError: no negative, a negative exponent, or too few items to have a negative.
        """
        super().__init__()
        if negatives < 1 or exponent < 0:
            raise UserError(
                f"loss.negatives={negatives}, loss.exponent={exponent}: at least 1 negative, an exponent of at least 0."
            )
        if len(count_I) < 2:
            raise UserError("A sampled loss needs a catalogue of at least 2 items. Use loss=cross_entropy.")
        self.negatives, self.shared = negatives, shared
        self.draw = Draw(count_I, source, exponent)
        self.avoid: Avoid | None = None

    @abstractmethod
    def of_scores(self, compared: Compared) -> Tensor:
        """``(C,)`` losses of some positions."""

    def forward(self, fused: Fused, target_N: Tensor, items: ItemTable, user_N: Tensor | None = None) -> Tensor:
        """As of every loss; ``user_N``, whose position each is, is asked for where ``avoid`` is set."""
        n, k = len(target_N), self.negatives
        row = self.draw((k,) if self.shared else (n, k), target_N)
        if self.avoid is not None:
            assert user_N is not None and not self.shared
            row = self.avoid(row, user_N, lambda count: self.draw((count,), target_N))
        own_ND = items.candidates_of(target_N)
        shared_KD = items.candidates_of(row) if self.shared else None

        def of_chunk(chosen: slice) -> Tensor:
            part, target_C = fused.rows(chosen), target_N[chosen]
            other_CK = row[chosen] if shared_KD is None else row[None]
            own_C = part.score_own(own_ND[chosen, None]).squeeze(1)
            score_CK = part.score_own(items.candidates_of(other_CK)) if shared_KD is None else part.score(shared_KD)
            precise = torch.promote_types(score_CK.dtype, torch.float32)
            compared = Compared(
                own_C.to(precise),
                score_CK.to(precise),
                other_CK == target_C[:, None],
                self.draw.log_q(target_C),
                self.draw.log_q(other_CK),
            )
            return self.of_scores(compared).sum()

        size = max(1, NUMBERS // (k if self.shared else k * own_ND.shape[1]))
        if n <= size:
            return of_chunk(slice(0, n))
        # Everything was drawn above, so a chunk that is computed again sees the same negatives.
        chunks = [slice(i, i + size) for i in range(0, n, size)]
        kept = [checkpoint(of_chunk, c, use_reentrant=False, preserve_rng_state=False) for c in chunks]
        return torch.stack(kept).sum()  # type: ignore[arg-type]
