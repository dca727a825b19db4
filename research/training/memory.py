"""Keep freed memory in the process.

glibc gives temporaries above 32 MB back to the kernel, and every training step then pays for their pages again: 1.4
to 1.8 times the time of an epoch on a CPU. Two settings of its allocator stop that, at the price of a resident size
that stays at its peak. RESEARCH_KEEP_MEMORY=0 leaves the allocator as it is.
"""

from __future__ import annotations

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to keep freed memory; returns whether it did."""
    if os.environ.get("RESEARCH_KEEP_MEMORY") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL("libc.so.6")
    return bool(libc.mallopt(_M_MMAP_MAX, 0)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
