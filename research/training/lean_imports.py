"""Import torchmetrics without the packages that it imports only because they are there.

When it is imported, torchmetrics imports transformers, scipy.signal and matplotlib wherever they are installed: over
two seconds on two cores, before a run that uses one base class of it makes its first step. Here it is told that they
are absent while it is imported, and nothing else is.

Only processes of our own do this (commands, workers of a study). A notebook that imports ``research`` may want
torchmetrics' text or plotting metrics too; in these processes nobody does.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNWANTED = ("transformers", "scipy", "matplotlib")


def import_lightning() -> None:
    """Import Lightning and torchmetrics, unless somebody already did."""
    with _hidden():
        import torchmetrics  # noqa: F401
    import lightning  # noqa: F401


@contextmanager
def _hidden() -> Iterator[None]:
    """Let the unwanted packages seem absent to those who ask for optional ones; every other is looked up."""
    from lightning_utilities.core import imports

    required, available = imports.RequirementCache.__bool__, imports.package_available

    def is_met(self: imports.RequirementCache) -> bool:
        return not str(self.requirement).startswith(UNWANTED) and required(self)

    def is_available(name: str) -> bool:
        return name not in UNWANTED and available(name)

    imports.RequirementCache.__bool__ = is_met  # type: ignore[method-assign]
    imports.package_available = is_available  # type: ignore[assignment]
    try:
        yield
    finally:
        imports.RequirementCache.__bool__ = required  # type: ignore[method-assign]
        imports.package_available = available
