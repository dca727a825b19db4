"""What attention adds to a score for how far apart two interactions are: in positions, and in time.

The time between them falls into a bucket by its logarithm, as in HSTU (arXiv 2402.17152),
``floor(ln(seconds) / .301)``: a bucket is about a third longer than the one before. Each bucket and each distance has a
learned bias, the same for all heads. Departure: HSTU's code measures from the time of the *next* interaction, ours from
that of the reading position, which knows no later one.

Shape legend: B rows, T positions; [t, s] is position t reading position s.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.rows import Rows

BUCKETS = 72
"""The last one begins at 1,911 million seconds: 60 years."""


def buckets_of(rows: Rows) -> Tensor:
    """``(B, T, T)`` bucket of the time between two positions, at least 1 second."""
    assert rows.times_BT is not None
    second_BTT = (rows.times_BT[:, :, None] - rows.times_BT[:, None]).abs().clamp(min=1)
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
