"""Tiny pretrained models, written by the tests, and content by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from research.data.columns import Feature
from research.items.content import Content

WORDS = ["a", "the", "of", "and", "in", "quiet", "war", "love", "space", "night", "city", "heat", "toy", "story"]
WORDS += ["ship", "star", "memory", "river", "##s", "##ing"]
TITLES = ["a quiet war", "the love of space", "night in the city", "heat", "toy story", "a ship and a star"]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers and 16 numbers, with a WordPiece vocabulary."""
    return write_bert(tmp_path_factory.mktemp("models") / "tiny-bert", seed=0)


def write_bert(directory: Path, seed: int, words: Sequence[str] = WORDS, longest: int = 24) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    number = {word: i for i, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(number, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    ends = [("[CLS]", number["[CLS]"]), ("[SEP]", number["[SEP]"])]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(directory)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=longest,
        initializer_range=0.5,  # large, so that texts differ
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(directory)
    return directory


@pytest.fixture
def content(tmp_path: Path) -> Callable[..., Content]:
    """``content(titles, genres)``: of items called i1, i2, ...; genres are lists of words."""

    def make(
        titles: list[str] | None = None, genres: list[list[str]] | None = None, count: list[int] | None = None
    ) -> Content:
        n = len(titles or genres or count or [])
        features = {} if genres is None else {"genre": feature(genres)}
        return Content(
            "by hand",
            np.array([f"i{i + 1}" for i in range(n)]),
            tmp_path / "cache",
            None if titles is None else np.array(titles),
            features,
            None if count is None else np.array(count),
        )

    return make


def feature(words: list[list[str]]) -> Feature:
    names = list(dict.fromkeys(word for row in words for word in row))
    offsets = np.cumsum([0, *(len(row) for row in words)])
    codes = np.array([names.index(word) + 1 for row in words for word in row], dtype=np.int64)
    return Feature(offsets, codes, np.array(names, dtype=np.str_))
