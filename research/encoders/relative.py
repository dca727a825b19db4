"""What attention adds to a score for how far apart two interactions are: in positions, and in time.

Time is measured as in HSTU's code (arXiv 2402.17152), from the moment for which position t is asked back to interaction
s: in training and in a test that is when the next interaction happens, which a recommender that is asked then knows. It
says whether somebody goes on or comes back. Without ``from_now`` it is measured from interaction t: the control for
what knowing the moment is worth. Its bucket is ``floor(ln(seconds) / .301)``: each is about a third longer than the one
before. Each bucket and each distance has a learned bias, the same for all heads.

Shape legend: B rows, T positions; [t, s] is position t reading position s.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.rows import Rows

BUCKETS = 72
"""The last one begins at 1,911 million seconds: 60 years."""


def buckets_of(rows: Rows, *, from_now: bool) -> Tensor:
    """``(B, T, T)`` bucket of the time from interaction s to t or its moment, at least 1 second; 0 where s is later."""
    end_BT = rows.now_BT if from_now else rows.times_BT
    assert rows.times_BT is not None and end_BT is not None
    second_BTT = (end_BT[:, :, None] - rows.times_BT[:, None]).clamp(min=1)
    return (second_BTT.double().log() / 0.301).long().clamp(max=BUCKETS - 1)


class RelativeBias(nn.Module):
    """A bias for each distance in positions, and one for each bucket of time."""

    def __init__(self, max_length: int, *, timed: bool = True) -> None:
        """Make the tables.

        Args:
            max_length: longest row.
            timed: whether time counts, beside the distance in positions.
        """
        super().__init__()
        self.position = nn.Parameter(torch.empty(max_length).normal_(std=0.02))
        self.time = nn.Parameter(torch.empty(BUCKETS).normal_(std=0.02)) if timed else None

    def forward(self, t: int, bucket_BTT: Tensor | None) -> Tensor:
        """``(B or 1, 1, T, T)`` bias of every head; minus infinity for what comes later."""
        step_T = torch.arange(t, device=self.position.device)
        distance_TT = step_T[:, None] - step_T
        bias_TT = self.position[distance_TT.clamp(min=0)].masked_fill(distance_TT < 0, -torch.inf)
        if self.time is None:
            return bias_TT[None, None]
        assert bucket_BTT is not None
        # Not an embedding look-up: for rows of one number its backward is twenty times slower.
        time_BTT = self.time.index_select(0, bucket_BTT.flatten()).view_as(bucket_BTT)
        return (bias_TT + time_BTT)[:, None]
