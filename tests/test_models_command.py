"""`research models`: what is listed, what it says of a part, and numbers of parameters against formulas."""

from __future__ import annotations

import json
import re

import pytest

from research import cli
from research.catalogue import GROUPS, STATED, Catalogue, described
from research.config import config_directory, options
from research.errors import UserError

NOT_PARTS = {"data", "selection", "split", "evaluation", "optimizer", "trainer", "logger", "paths", "size"} | {
    "study",
    "sweep",
    "tune",
    "paper",
    "executor",
}
"""Data, protocol, and how a run is carried out. A new folder of configs/ belongs here or into the catalogue."""
SIZES = {"tiny": (32, 1, 1), "small": (64, 2, 1), "base": (128, 2, 1), "large": (256, 4, 2)}
"""Width, blocks and layers, as configs/size states them."""


def gru(d: int, layers: int) -> int:
    """Each of three gates: two matrices, two biases (torch has both)."""
    return layers * 3 * (d * d + d * d + d + d)


def lstm(d: int, layers: int) -> int:
    return layers * 4 * (d * d + d * d + d + d)


def transformer(d: int, blocks: int, length: int) -> int:
    """A vector a position; in a block four D x D products and two of the feed-forward layer with biases, two norms."""
    return length * d + blocks * (6 * (d * d + d) + 2 * 2 * d) + 2 * d


def found(*words: str) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    catalogue = Catalogue(list(words))
    return {(e.group, e.name): (e.parameters, e.tables) for group in catalogue.groups for e in catalogue.of(group)}


@pytest.fixture(scope="module")
def small() -> dict[tuple[str, str], tuple[int | None, int | None]]:
    return found()


class TestWhatIsListed:
    def test_every_part_and_every_model(self, small) -> None:
        folders = {p.name for p in config_directory().iterdir() if p.is_dir()}
        assert folders - NOT_PARTS == set(GROUPS)
        assert set(small) == {(group, name) for group in GROUPS for name in options(group)}
        assert {("encoder", "gru"), ("fusion", "gated"), ("window", "session"), ("model", "sasrec")} <= set(small)

    def test_counted_is_what_learns_from_the_sizes(self, small) -> None:
        for (group, name), numbers in small.items():
            assert (None not in numbers) == (group in ("items", "encoder", "fusion", "model")), name

    def test_some_groups_only(self) -> None:
        catalogue = Catalogue(["window", "loss", "window"])
        assert catalogue.groups == ["window", "loss"]
        assert [entry.name for entry in catalogue.of("window")] == options("window")


class TestNumbers:
    @pytest.mark.parametrize("size", SIZES)
    def test_of_recurrent_and_attention_encoders(self, size: str) -> None:
        d, blocks, layers = SIZES[size]
        got = found("encoder", f"size={size}", "max_length=50")
        assert got["encoder", "gru"] == (gru(d, layers), 0)
        assert got["encoder", "lstm"] == (lstm(d, layers), 0)
        assert got["encoder", "transformer"] == (transformer(d, blocks, 50), 0)
        assert got["encoder", "mean"] == (0, 0)

    def test_by_hand(self, small) -> None:
        assert small["encoder", "gru"] == (24_960, 0)
        assert small["encoder", "lstm"] == (33_280, 0)
        assert small["encoder", "transformer"] == (12_800 + 2 * (24_960 + 256) + 128, 0)
        assert small["fusion", "gated"] == (2 * 64 * 64 + 64, 0)
        assert small["fusion", "sum"] == (0, 0)

    def test_tables_of_items_and_users_stand_apart(self, small) -> None:
        assert STATED == {"n_items": 10_000, "n_users": 10_000}
        assert small["items", "ids"] == (0, 64 * (10_000 + 2))  # padding and the mask token have rows too
        assert small["encoder", "user"] == (0, 64 * 10_000)
        # Three states into the gate, of which one is a vector of the user.
        assert small["fusion", "user_gate"] == (3 * 64 * 64 + 64, 64 * 10_000)

    def test_of_a_model_are_those_of_its_parts(self, small) -> None:
        assert small["model", "sasrec"] == (transformer(64, 2, 200), 64 * 10_002)

    def test_a_dataset_has_its_own_tables(self, tmp_path) -> None:
        data = ["data=simulated", "data.n_users=30", "data.n_items=20", "data.mean_length=8", f"paths.cache={tmp_path}"]
        catalogue = Catalogue(["items", "encoder", "width=8", *data])
        assert (catalogue.sizes.n_users, catalogue.sizes.n_items) == (30, 20)
        got = {e.name: (e.parameters, e.tables) for group in catalogue.groups for e in catalogue.of(group)}
        assert got["ids"] == (0, 8 * 22) and got["user"] == (0, 8 * 30) and got["gru"] == (gru(8, 1), 0)


class TestLinesAndPapers:
    @pytest.mark.parametrize(
        ("text", "line", "paper"),
        [
            ("# One line.\n_target_: x\n", "One line", None),
            ("# @package _global_\n# Above the line.\n", "Above the line", None),
            ("# A net (Kang & McAuley, ICDM 2018): causal.\n# More.\n", "A net: causal", "Kang & McAuley, ICDM 2018"),
            ("# It runs on\n# and ends here. Departs: no.\n", "It runs on and ends here", None),
            ("# a (one, KDD 2019), b (two et al., UAI 2020).\n", "a, b", "one, KDD 2019; two et al., UAI 2020"),
            ("# No paper (in 2019), none (A, B) here.\n", "No paper (in 2019), none (A, B) here", None),
        ],
    )
    def test_the_head_of_a_file(self, text: str, line: str, paper: str | None) -> None:
        assert described(text) == (line, paper)

    @pytest.mark.parametrize(
        ("group", "name", "paper"),
        [
            ("encoder", "transformer", "Kang & McAuley, ICDM 2018"),
            ("encoder", "bert4rec", "Sun et al., CIKM 2019"),
            ("fusion", "slirec", "Yu et al., IJCAI 2019"),
            ("fusion", "sum", None),
            ("loss", "gbce", "Petrov & Macdonald, RecSys 2023"),
            ("baseline", "ease", "Steck, WWW 2019"),
            ("model", "sasrec", "Kang & McAuley, ICDM 2018"),
        ],
    )
    def test_papers(self, group: str, name: str, paper: str | None) -> None:
        text = (config_directory() / group / f"{name}.yaml").read_text()
        assert described(text)[1] == paper

    def test_a_line_stands_behind_every_name(self) -> None:
        for group in GROUPS:
            for name in options(group):
                line, paper = described((config_directory() / group / f"{name}.yaml").read_text())
                assert len(line) > 10 and "  " not in line, name
                assert paper is None or re.search(r"\d{4}$", paper), name


@pytest.fixture
def research(capsys):
    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(["models", *words])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


class TestCommand:
    def test_the_table(self, research, monkeypatch) -> None:
        monkeypatch.setattr("research.console.out.width", 160)
        code, out, _ = research("encoder", "window", "size=base")
        assert code == 0 and "fusion" not in out.split("max_interest")[0].split("window: ")[1]
        (row,) = (line for line in out.splitlines() if line.strip().startswith("gru "))
        assert row.split()[-2:] == [f"{gru(128, 1):,}", "0"] and "Hidasi et al., ICLR 2016" in row
        assert "width 128" in out and "10,000 items" in out
        windows = out.split("window: ")[1]
        assert "session" in windows and "parameters" not in windows.split("Parameters at")[0]

    def test_json(self, research) -> None:
        code, out, _ = research("--json", "encoder")
        said = json.loads(out)
        assert code == 0 and said["sizes"] == {"width": 64, "max_length": 200, **STATED}
        (entry,) = (e for e in said["entries"] if e["name"] == "lstm")
        assert entry["parameters"] == lstm(64, 1) and entry["group"] == "encoder" and entry["line"]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["encodr"], "There is no group 'encodr'. Known: items, encoder,"),
            (["encoders"], "Did you mean 'encoder'?"),
            (["size=huge"], "There is no size called 'huge'. Known: base, large, small, tiny."),
        ],
    )
    def test_a_mistake(self, research, words: list[str], message: str) -> None:
        code, out, err = research(*words)
        assert code == 2 and out == "" and message in " ".join(err.split())

    def test_a_part_that_does_not_fit_the_sizes(self) -> None:
        with pytest.raises(UserError, match="heads=3 does not divide width=64"):
            Catalogue(["encoder", "heads=3"]).of("encoder")
