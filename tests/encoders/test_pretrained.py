"""Backbones of transformers: each against the library's own model, fed one row at a time.

Nothing is fetched: configurations are made here, and weights are stored in a temporary directory.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from research.encoders.pretrained import Backbone, Pretrained
from research.encoders.pretrained_bidirectional import PretrainedBidirectional
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = Sizes(8, 7)
CAUSAL = ["gpt2", "llama", "mamba", "qwen2", "gpt_neox"]
BOTH = ["bert", "distilbert", "modernbert"]


@pytest.fixture
def rows() -> Rows:
    x_BTD = torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(1))
    length_B = torch.tensor([7, 2, 5])
    behind_BT = torch.arange(7) >= length_B[:, None]
    return Rows(x_BTD.masked_fill(behind_BT[:, :, None], 1e3), length_B)


def alone(encoder: Backbone, rows: Rows) -> list[torch.Tensor]:
    """The library's states of each row without padding; ``embeds`` in, ``last_hidden_state`` out."""
    with torch.no_grad():
        return [
            encoder.outward(
                encoder.model(inputs_embeds=encoder.inward(x_TD[None, :n] * 8**0.5)).last_hidden_state
            ).squeeze(0)
            for x_TD, n in zip(rows.x_BTD, rows.length_B.tolist(), strict=True)
        ]


def built(kind: type, **settings) -> Backbone:
    torch.manual_seed(0)
    return kind(SIZES, **settings).eval()


class TestFresh:
    @pytest.mark.parametrize(
        ("kind", "backbone"), [*((Pretrained, b) for b in CAUSAL), *((PretrainedBidirectional, b) for b in BOTH)]
    )
    def test_it_is_the_library_s_model_on_each_row(self, rows: Rows, kind: type, backbone: str) -> None:
        encoder = built(kind, backbone=backbone)
        assert encoder.model.config.model_type == backbone
        assert encoder.model.config.hidden_size == 8 and encoder.model.config.num_hidden_layers == 2
        got_BTD = encoder.encode(rows)
        for row, expected_TD in enumerate(alone(encoder, rows)):
            torch.testing.assert_close(got_BTD[row, : len(expected_TD)], expected_TD, rtol=0, atol=1e-5)

    @pytest.mark.parametrize(
        ("kind", "backbone"), [*((Pretrained, b) for b in CAUSAL), *((PretrainedBidirectional, b) for b in BOTH)]
    )
    def test_all_of_it_is_taught(self, rows: Rows, kind: type, backbone: str) -> None:
        """No table of words and no pooler is carried along."""
        encoder = built(kind, backbone=backbone).train()
        states = encoder.encode(rows)[rows.real_BT]
        (states * torch.randn(states.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
        for name, weight in encoder.named_parameters():
            assert weight.grad is not None, name

    def test_options_go_to_the_configuration(self) -> None:
        assert built(Pretrained, options={"n_inner": 24}).model.h[0].mlp.c_fc.weight.shape == (8, 24)  # type: ignore[index, union-attr]

    def test_one_rate_of_dropout_for_all(self) -> None:
        config = built(Pretrained, dropout=0.3).model.config
        assert (config.resid_pdrop, config.embd_pdrop, config.attn_pdrop) == (0.3, 0.3, 0.3)
        assert built(PretrainedBidirectional, dropout=0.0).model.config.hidden_dropout_prob == 0.0

    @pytest.mark.parametrize(
        ("kind", "settings", "words"),
        [
            (Pretrained, {"backbone": "bert"}, "bert sees both sides .*pretrained_bidirectional"),
            (PretrainedBidirectional, {"backbone": "gpt2"}, "gpt2 sees one side .*encoder pretrained "),
            (Pretrained, {"backbone": "gpt22"}, "backbone=gpt22: transformers knows no such"),
            (Pretrained, {"heads": 3}, "backbone=gpt2.*refuses"),
            (Pretrained, {"backbone": "t5"}, "t5"),
            (Pretrained, {"options": {"n_positions": 5}}, "max_length=7"),
            (Pretrained, {"options": 5}, "options=5: names and values"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, kind: type, settings: dict, words: str) -> None:
        with pytest.raises(UserError, match=words):
            built(kind, **settings)


class TestStored:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        from transformers import GPT2Config, GPT2Model

        torch.manual_seed(7)
        config = GPT2Config(
            vocab_size=11, n_positions=9, n_embd=12, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
        )
        GPT2Model(config).save_pretrained(tmp_path)
        return tmp_path

    def test_weights_of_a_directory(self, rows: Rows, directory: Path) -> None:
        from safetensors.torch import load_file

        encoder = built(Pretrained, weights=str(directory))
        kept = load_file(directory / "model.safetensors")
        weights = encoder.model.state_dict()
        assert set(kept) - set(weights) == {"wte.weight"}
        assert all(torch.equal(weights[name], kept[name]) for name in weights)
        got_BTD = encoder.encode(rows)
        assert got_BTD.shape == (3, 7, 8), "the model is wider: a layer leads in and another out"
        for row, expected_TD in enumerate(alone(encoder, rows)):
            torch.testing.assert_close(got_BTD[row, : len(expected_TD)], expected_TD, rtol=0, atol=1e-5)

    def test_rows_that_are_longer_than_it_reads(self, directory: Path) -> None:
        with pytest.raises(UserError, match="max_length=10"):
            Pretrained(Sizes(8, 10), weights=str(directory))

    def test_pickled_weights_are_not_read(self, directory: Path) -> None:
        from safetensors.torch import load_file

        torch.save(load_file(directory / "model.safetensors"), directory / "pytorch_model.bin")
        (directory / "model.safetensors").unlink()
        with pytest.raises(UserError, match="safetensors"):
            built(Pretrained, weights=str(directory))

    def test_code_of_a_model_is_not_run(self, tmp_path: Path) -> None:
        config = {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        with pytest.raises(UserError, match="weights="):
            built(Pretrained, weights=str(tmp_path))
        assert not (tmp_path / "ran").exists()

    def test_a_directory_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="cannot be read"):
            built(Pretrained, weights=str(tmp_path))


def test_transformers_is_imported_only_when_it_is_used() -> None:
    code = "import sys, research.encoders.pretrained as p; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
