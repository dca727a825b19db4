"""A backbone of ``transformers`` that reads embedded items instead of words.

Its own table of words and its pooler are dropped: nothing would reach them. Weights are read from safetensors only, and
no code that comes with a model is run.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from research.errors import UserError


def fresh(kind: str, width: int, layers: int, heads: int, max_length: int, dropout: float, options: dict) -> nn.Module:
    """A backbone with random weights.

    Args:
        kind: ``model_type`` of a configuration class, such as ``gpt2``, ``bert``, ``llama`` or ``mamba``.
        width: of its states; the feed-forward layers are four times as wide.
        layers: number of layers.
        heads: attention heads.
        max_length: longest row.
        dropout: every rate that the configuration has.
        options: further settings of that configuration, by its own names.

    Raises:
        UserError: there is no such kind, or the settings do not fit it.
    """
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModel

    if kind not in CONFIG_MAPPING:
        raise UserError(f"backbone={kind}: transformers knows no such model type. Examples: gpt2, bert, llama, mamba.")
    kind_of = CONFIG_MAPPING[kind]
    # No words are read: a table of one, and every special token is that one.
    named = {key: 0 for key in kind_of().to_dict() if key.endswith("_token_id")} | {
        "vocab_size": 1,
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "max_position_embeddings": max_length,
    }
    own = kind_of.attribute_map  # a configuration's own names of the usual settings, such as n_embd
    try:
        config = AutoConfig.for_model(kind, **{own.get(key, key): value for key, value in (named | options).items()})
        _set_dropout(config, dropout)
        return _bare(AutoModel.from_config(config, trust_remote_code=False))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UserError(f"backbone={kind}, options={options}: transformers refuses this: {error}") from error


def stored(name: str, dropout: float) -> nn.Module:
    """A backbone with the weights of a local directory or of the Hugging Face hub.

    Args:
        name: path, or name on the hub.
        dropout: every rate that its configuration has.

    Raises:
        UserError: it cannot be read, for example because it has no safetensors.
    """
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        _set_dropout(config, dropout)
        model = AutoModel.from_pretrained(
            name, config=config, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"weights={name} cannot be read as a model of transformers with safetensors: {str(error).splitlines()[0]}"
        ) from error
    return _bare(model)


def looks_ahead(model: nn.Module, hidden: int, length: int) -> bool:
    """Whether a state depends on what comes after it, found by trying: no list of architectures could be complete.

    Args:
        model: a backbone.
        hidden: width of its states.
        length: longest row that it must read, at least 2.

    Raises:
        UserError: it cannot read rows of that length.
    """
    was_training = model.training
    model.eval()
    random = torch.Generator().manual_seed(0)
    some_1TD = torch.randn(1, length, hidden, generator=random)
    other_1TD = some_1TD.clone()
    other_1TD[:, -1] = torch.randn(hidden, generator=random)  # another direction: a norm would undo a mere shift
    try:
        with torch.no_grad():
            moved = read(model, some_1TD)[:, :-1] != read(model, other_1TD)[:, :-1]
    except (IndexError, RuntimeError) as error:
        raise UserError(f"max_length={length}: the backbone cannot read rows of that length: {error}") from error
    model.train(was_training)
    return bool(moved.any())


def read(model: nn.Module, x_BTD: Tensor, real_BT: Tensor | None = None) -> Tensor:
    """``(B, T, D)`` last states of embedded items."""
    mask: dict[str, Any] = {} if real_BT is None else {"attention_mask": real_BT.long()}
    return model(inputs_embeds=x_BTD, **mask).last_hidden_state


def _set_dropout(config: Any, rate: float) -> None:
    config.use_cache = False
    for key, value in config.to_dict().items():
        if isinstance(value, float) and ("dropout" in key or key.endswith("pdrop")):
            setattr(config, key, rate)


def _bare(model: Any) -> nn.Module:
    if model.config.is_encoder_decoder:
        raise UserError(f"{model.config.model_type} is an encoder with a decoder; choose a backbone of one part.")
    model.set_input_embeddings(nn.Identity())
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model
