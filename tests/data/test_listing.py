"""The list of datasets: complete, without network, and its states follow the files that are there."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from research import cli
from research.config import option_file, options
from research.data.about import About, Citation
from research.data.listing import entry, listing, source_of, state
from research.data.listing_table import markdown, size
from research.data.prepare import prepare
from research.data.raw import HubFile, Place, RawFile, WheelMember
from research.data.source import Source
from research.data.sources.movielens import MovieLens
from research.data.sources.sasrec_ml_1m import SasrecMovieLens1M
from research.data.sources.simulated import Simulated
from research.errors import UserError

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


@dataclass(frozen=True, kw_only=True)
class Plays(Source):
    """Two files that are needed and one that is not."""

    raw: tuple[RawFile, ...]

    @property
    def name(self) -> str:
        return "plays"

    def files(self) -> tuple[RawFile, ...]:
        return self.raw

    def read(self, raw):
        raise NotImplementedError


A = RawFile(name="a.csv", places=(Place("plays/a.csv"), Place("plays.zip", "a.csv")))
B = RawFile(name="b.csv", places=(Place("plays/b.csv"),), urls=(Place("https://example.org/b.csv"),))
EXTRA = RawFile(name="titles.csv", optional=True)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


class TestState:
    def test_the_file_that_is_farthest_away_decides(self, tmp_path: Path) -> None:
        cache, mirror = tmp_path / "c", tmp_path / "m"
        source = Plays(raw=(A, B, EXTRA))

        def now() -> str:
            return state(source, cache, [tmp_path / "absent", mirror])

        assert now() == "by hand", "a.csv has no address"
        touch(mirror / "plays.zip")
        assert now() == "download", "b.csv is still missing"
        touch(mirror / "plays/b.csv")
        assert now() == "mirror"
        touch(cache / "raw/plays/b.csv")
        assert now() == "mirror"
        touch(cache / "raw/plays/plays.zip")
        assert now() == "cached", "an archive in the cache's folder is as good as the file"
        (mirror / "plays.zip").unlink()
        (mirror / "plays/b.csv").unlink()
        assert now() == "cached"
        (cache / "raw/plays/b.csv").unlink()
        assert now() == "download"

    def test_prepared_data_is_of_this_name_and_complete(self, tmp_path: Path) -> None:
        source = MovieLens(size="1m")
        touch(tmp_path / "prepared/ml-1m-sasrec-0123456789ab/meta.json")
        (tmp_path / "prepared/ml-1m-0123456789ab.tmp").mkdir()
        assert state(source, tmp_path) == "download" and state(SasrecMovieLens1M(), tmp_path) == "prepared"
        touch(tmp_path / "prepared/ml-1m-0123456789ab/meta.json")
        assert state(source, tmp_path) == "prepared"

    def test_what_prepare_writes_is_found(self, tmp_path: Path) -> None:
        mirror = tmp_path / "m/ml-20m"
        mirror.mkdir(parents=True)
        source = MovieLens(size="20m")
        assert state(source, tmp_path / "c", [tmp_path / "m"]) == "download"
        (mirror / "ratings.csv").write_bytes(b"userId,movieId,rating,timestamp\n9,31,2.5,20\n9,10,3.0,10\n")
        assert state(source, tmp_path / "c", [tmp_path / "m"]) == "mirror"
        prepare(source, cache=tmp_path / "c", mirrors=[tmp_path / "m"])
        assert state(source, tmp_path / "c") == "prepared"
        for path in (tmp_path / "c/prepared").iterdir():
            path.rename(tmp_path / path.name)
        assert state(source, tmp_path / "c") == "cached"

    @pytest.mark.parametrize(
        ("place", "letters"),
        [
            ({"urls": (Place("https://example.org/a"),)}, "U"),
            ({"hub": HubFile(repo="a/b", path="c")}, "F"),
            ({"wheel": WheelMember(requirement="a==1", member="b")}, "W"),
            ({"hub": HubFile(repo="a/b", path="c"), "urls": (Place("https://example.org/a"),)}, "FU"),
            ({}, "H"),
        ],
    )
    def test_letters_say_where_it_can_come_from(self, tmp_path: Path, place: dict, letters: str) -> None:
        one = entry("x", Plays(raw=(RawFile(name="a", **place), EXTRA)), tmp_path)
        assert one.places == letters and one.state == ("by hand" if letters == "H" else "download")

    def test_what_needs_no_file(self, tmp_path: Path) -> None:
        assert state(Simulated(), tmp_path) == "made here" and state(source_of("files"), tmp_path) == "yours"


class TestList:
    def test_every_option_is_listed_with_its_facts_in_a_moment(self, tmp_path: Path, monkeypatch) -> None:
        def refuse(*args: object, **settings: object) -> None:
            raise AssertionError("no network")

        monkeypatch.setattr("socket.socket.connect", refuse)
        monkeypatch.setattr("socket.getaddrinfo", refuse)
        began = time.process_time()
        entries = listing(tmp_path, [tmp_path])
        assert time.process_time() - began < 2.0
        assert [one.name for one in entries] == options("data") and len(entries) >= 42
        for one in entries:
            assert one.about.licence != "unknown", one.name
            assert one.about.cite or not one.places, one.name
            assert one.page.startswith("http") or not one.places, one.name
            assert json.loads(json.dumps(one.plain()))["name"] == one.name

    def test_facts_agree_with_the_comment_of_the_configuration(self, tmp_path: Path) -> None:
        """Every large number of a configuration's head is one of its facts."""
        others = {"globo": {"1,048,594"}}  # sessions
        for one in listing(tmp_path):
            head = re.findall(r"^# .*", option_file("data", one.name).read_text(), re.MULTILINE)
            said = set(re.findall(r"\d{1,3}(?:,\d{3})+", " ".join(head)))
            counts = (one.about.users, one.about.items, one.about.interactions)
            known = {f"{count:,}" for count in counts if count} | others.get(one.name, set())
            assert said <= known, one.name

    def test_an_unknown_name_is_a_clear_error(self) -> None:
        with pytest.raises(UserError, match=r"There is no data called 'ml-100'.*Did you mean 'ml-100k'"):
            source_of("ml-100")

    def test_a_wrong_file_of_ones_own_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data/mine.yaml").write_text("_target_: research.data.sources.simulated.Simulated\nn_user: 3\n")
        monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path))
        with pytest.raises(UserError, match=r"no key 'data\.n_user'.*Did you mean 'n_users'"):
            listing(tmp_path / "cache")

    @pytest.mark.parametrize(
        ("count", "text"),
        [
            (None, "unknown"),
            (999, "999 B"),
            (4_924_029, "4.9 MB"),
            (978_202, "978 kB"),
            (999_999, "1.0 MB"),
            (198_702_078, "199 MB"),
            (1_300_000_000, "1.3 GB"),
            (9_960, "10 kB"),
        ],
    )
    def test_sizes_are_short(self, count: int | None, text: str) -> None:
        assert size(count) == text


def test_a_citation_short_long_and_for_latex() -> None:
    work = Citation(
        authors="Kang, W.-C.; McAuley, J.", year=2018, title="A Self-Made Title", venue="ICDM", doi="10.1/x"
    )
    assert work.short == "Kang & McAuley 2018"
    assert work.text == "Kang, W.-C.; McAuley, J. (2018). A Self-Made Title. ICDM. doi:10.1/x"
    assert work.bibtex.splitlines() == [
        "@misc{kang2018self,",
        "  author = {Kang, W.-C. and McAuley, J.},",
        "  title = {{A Self-Made Title}},",
        "  howpublished = {ICDM},",
        "  year = {2018},",
        "  doi = {10.1/x},",
        "}",
    ]
    company = Citation(authors="Yelp Inc.", year=2022, title="Yelp Open Dataset", url="https://example.org")
    assert company.short == "Yelp Inc. 2022" and "author = {{Yelp Inc.}}" in company.bibtex
    assert company.text.endswith("Dataset. https://example.org")
    three = Citation(authors="Sun, F.; Liu, J.; Wu, J.", year=2019, title="The X")
    assert three.short == "Sun et al. 2019" and three.bibtex.startswith("@misc{sun2019x,")
    assert About().licence == "unknown"


class TestCommand:
    @pytest.fixture
    def research(self, capsys, tmp_path, monkeypatch):
        monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("RESEARCH_MIRROR", raising=False)
        monkeypatch.delenv("COLUMNS", raising=False)

        def call(*words: str) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as stop:
                cli.main(["data", *words])
            text = capsys.readouterr()
            return int(stop.value.code or 0), text.out, text.err

        return call

    def test_the_table_fits_120_columns_and_names_all(self, research, tmp_path: Path) -> None:
        touch(tmp_path / "m/gowalla/loc-gowalla_totalCheckins.txt.gz")
        code, out, err = research("--mirror", str(tmp_path / "m"))
        lines = out.splitlines()
        assert code == 0 and max(map(len, lines)) <= 120 and "by hand" in err
        rows = {line.split()[0]: line for line in lines if line.split()}
        assert set(options("data")) <= set(rows)
        assert re.search(
            r"107,092 +1,280,969 +6,442,892 +105 MB none stated; research +mirror +Cho et al. 2011", rows["gowalla"]
        )
        assert "…" not in out, "nothing is cut"

    def test_json(self, research) -> None:
        code, out, _ = research("--json")
        entries = {one["name"]: one for one in json.loads(out)["datasets"]}
        assert code == 0 and set(entries) == set(options("data"))
        film = entries["ml-1m"]
        assert (film["users"], film["items"], film["interactions"]) == (6040, 3706, 1_000_209)
        assert film["state"] == "download" and film["cite"][0]["doi"] == "10.1145/2827872"
        assert entries["mind-small"]["interactions"] is None

    def test_what_to_cite(self, research) -> None:
        code, out, _ = research("--cite", "ml-1m-sasrec")
        assert code == 0 and out.count("@misc{") == 2 and "10.1145/2827872" in out
        code, out, err = research("--cite", "simulated")
        assert code == 2 and out == "" and "Nobody states what to cite for simulated" in err

    def test_a_dataset_of_its_own_shows_licence_and_citation(self, research) -> None:
        code, out, _ = research("simulated", "data.n_users=20")
        assert code == 0 and "Licence: ours." in out
        assert json.loads(research("simulated", "data.n_users=20", "--json")[1])["licence"] == "ours"

    def test_the_documentation_has_this_table(self, research) -> None:
        """Mend it by putting the output of `research data --markdown` between the two marks."""
        written = DOCUMENT.read_text(encoding="utf-8").split("<!-- research data --markdown -->\n")[1]
        assert written.split("<!-- end -->")[0] == research("--markdown")[1]

    def test_a_cell_of_markdown_never_breaks_the_table(self, tmp_path: Path) -> None:
        lines = markdown(listing(tmp_path)).splitlines()
        assert {line.count("|") for line in lines} == {10}
