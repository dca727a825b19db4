"""Items that training never met, put behind the catalogue: a longer `Histories` with the same interactions.

Shape legend: I items of the catalogue, A added ones, C codes of all items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from research.data.columns import Feature
from research.data.histories import Histories


@dataclass(frozen=True)
class NewItem:
    """What is said of an item.

    Attributes:
        item: its id, which no other item has.
        title: empty where there is none.
        words: for each feature, such as ``genre``, any number of words that the data know.
    """

    item: str
    title: str = ""
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)


def with_items(histories: Histories, items: Sequence[NewItem]) -> Histories:
    """The dataset with ``A`` more items; nobody has interacted with them.

    Vocabularies stay as they are, since a model has learned a vector for each of their words and for no other.
    """
    if not items:
        return histories
    titles = histories.titles
    if titles is None and any(item.title for item in items):
        titles = np.full(histories.n_items, "")
    if titles is not None:
        titles = np.concatenate([titles, np.array([item.title for item in items], dtype=np.str_)])
    return replace(
        histories,
        n_items=histories.n_items + len(items),
        item_ids=np.concatenate([histories.item_ids, np.array([item.item for item in items], dtype=np.str_)]),
        titles=titles,
        item_features={
            name: _longer(feature, [item.words.get(name, ()) for item in items])
            for name, feature in histories.item_features.items()
        },
    )


def _longer(feature: Feature, words: Sequence[Sequence[str]]) -> Feature:
    code = {name: number for number, name in enumerate(feature.names.tolist(), 1)}
    codes = [[code[word] for word in dict.fromkeys(some)] for some in words]
    ends_A = feature.offsets[-1] + np.cumsum([len(some) for some in codes], dtype=np.int64)
    added_C = np.array([one for some in codes for one in some], dtype=feature.codes.dtype)
    return Feature(np.concatenate([feature.offsets, ends_A]), np.concatenate([feature.codes, added_C]), feature.names)
