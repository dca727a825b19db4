"""The current day, week or month: everything since the calendar's last page was turned, in UTC.

SHAN and TLSAN call the interactions of one day a session. A user's own midnight is not in the data, so one that lives
far from Greenwich has evenings cut in two.

Shape legend: B rows, T positions.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.windows.base import Window


class Calendar(Window):
    """``start`` = the first interaction of the same day, ISO week (from Monday) or month."""

    needs_times: ClassVar[bool] = True

    def __init__(self, *, page: Literal["day", "week", "month"] = "day") -> None:
        """Set the page.

        Args:
            page: what the calendar shows at one time.
        """
        self.page = page

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        day_BT = batch.times_BT.div(86_400, rounding_mode="floor")
        if self.page == "week":
            page_BT = (day_BT + 3).div(7, rounding_mode="floor")  # 1 January 1970 was a Thursday
        else:
            page_BT = day_BT if self.page == "day" else month_of(day_BT)
        turned_BT = page_BT.diff(dim=1, prepend=page_BT[:, :1]) != 0
        position_T = torch.arange(day_BT.shape[1], device=day_BT.device)
        return at.of(torch.where(turned_BT, position_T, 0).cummax(dim=1).values)


def month_of(day: Tensor) -> Tensor:
    """Months since March of the year 0 from days since 1970, in whole numbers on any device.

    A year that begins in March has its leap day at the end, so that months have one formula; the calendar repeats after
    146,097 days (Howard Hinnant, "chrono-compatible low-level date algorithms", ``civil_from_days``).
    """
    since = day + 719_468  # days since 1 March of the year 0
    era = since.div(146_097, rounding_mode="floor")
    of_era = since - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (era * 400 + year) * 12 + (5 * of_year + 2) // 153
