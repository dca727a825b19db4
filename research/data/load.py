"""From the ``data`` and ``split`` nodes of a configuration to histories and their split."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from research.data.cold_targets import without_cold_targets
from research.data.download import Progress
from research.data.fetch import Announce
from research.data.histories import Histories
from research.data.prepare import cache_of, mirrors_from_environment, prepare
from research.data.selection import Selection
from research.data.source import Source
from research.data.split import Split, Splitter
from research.schema import build


def load(
    config: DictConfig, *, announce: Announce | None = None, progress: Progress | None = None
) -> tuple[Histories, Split]:
    """Fetch and prepare if need be, map, split.

    Args:
        config: a composed run; read are ``data``, ``selection``, ``split``, ``paths`` and ``evaluation.cold_targets``.
        announce: shows a line of text to the user, such as the terms of a dataset.
        progress: is told how a download goes.

    Raises:
        UserError: the data cannot be had, or has no history long enough for the split.
    """
    paths = config.paths
    selection = config.get("selection")
    histories = prepare(
        build(config.data, Source),
        cache=cache_of(config),
        mirrors=[Path(p).expanduser() for p in paths.mirrors] if paths.mirrors else mirrors_from_environment(),
        announce=announce,
        progress=progress,
        selection=build(selection, Selection) if selection else None,
    )
    split = build(config.split, Splitter)(histories)
    rule = config.get("evaluation")
    return histories, without_cold_targets(histories, split) if rule and rule.cold_targets == "dropped" else split
