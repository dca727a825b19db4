"""The page: well-formed, self-contained, escaped, sortable, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from research.errors import UserError
from research.reports.page import write_page

VOID = {"meta", "link", "br", "img", "input"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster"}


class Page(HTMLParser):
    """Collects what the tests ask for and fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(page_study) -> str:
    return write_page(page_study.path).read_text(encoding="utf-8")


def test_written_beside_the_study_with_nothing_left_over(page_study, html):
    before = {path.name for path in page_study.path.iterdir()}
    assert before == {"study.yaml", "gated", "long_only", "popularity", "report.html"}
    assert write_page(page_study.path).read_text(encoding="utf-8") == html


def test_well_formed_and_self_contained(html):
    page = Page(html)
    for _, attrs in page.tags:
        for name in LOADING & set(attrs):
            assert str(attrs[name]).startswith(("#", "data:")), attrs
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, flags=re.DOTALL))
    assert "@import" not in styles
    assert "url(" not in styles
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_readable_on_a_phone_and_in_the_dark(html):
    page = Page(html)
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "prefers-color-scheme: dark" in html


def test_tables_are_semantic_and_sortable(html):
    page = Page(html)
    tables = page.all("table")
    assert [table["class"] for table in tables] == ["sortable", "sortable"]
    assert len(page.all("caption")) == len(tables)
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
    assert all("data-order" in attrs for attrs in page.all("td"))
    (script,) = page.scripts
    assert all(word in script for word in ('createElement("button")', "aria-sort", "table.sortable", "data"))


def test_only_the_pages_own_script_may_run(html):
    page = Page(html)
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(str(meta["content"]) for meta in page.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_sections_say_what_they_should(html):
    text = " ".join(Page(html).text.split())
    for words in (
        "Does fusion help?",
        "gated has the highest mean NDCG@10",
        "transformer + gru | gated, seed 3: the loss became NaN",
        "leave-one-out split, ranking over full catalogue",
        "≤5 (2 users)",
        "research table tiny",
        "research report tiny",
        "paired by user, noise of seeds included",
        "a paired test over users and seeds leaves it undecided at this size",
    ):
        assert words in text, words
    facts = {
        ("history length, min", "3"),
        ("users", "4"),
        ("python", "3.11"),
        ("code", f"0.1.0 at {'c' * 40}"),
    }
    assert facts <= set(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))


def test_figures_have_words(html):
    page = Page(html)
    assert len(page.all("figure")) == len(page.all("figcaption")) == 5
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))


def test_hostile_texts_are_escaped(make_study):
    evil = '</script><script>alert("1")</script><img src=http://evil.example/x onerror=alert(1)>'
    study = make_study(seeds=[1, 2], question=evil)
    study.run(
        "gated",
        1,
        [0, 3],
        label=evil,
        lengths=[3, 30],
        environment={evil: evil},
        data={"name": evil, "digest": evil, "audit": {evil: 1, "deep": {evil: evil}}},
    )
    study.fail("gated", 2, evil, label=evil)
    page = Page(write_page(study.path).read_text(encoding="utf-8"))
    assert len(page.all("script")) == len(page.scripts) == 1
    assert page.all("img") == []
    assert evil in page.text


def test_other_place_and_unwritable_place(small, tmp_path):
    assert write_page(small.path, tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"Cannot write .*page\.html"):
        write_page(small.path, tmp_path / "file" / "page.html")


def test_one_seed_and_two_data_sets(make_study):
    study = make_study(axes={"data": ["a", "b"], "fusion": ["gated"]}, seeds=[1], baseline=None)
    for name in ("a", "b"):
        study.run("gated", 1, [0, 3], cell=name, arm={"data": name, "fusion": "gated"}, data={"name": name})
    html = write_page(study.path).read_text(encoding="utf-8")
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert "a: transformer + gru | gated has a mean NDCG@10" in page.text
    assert "b: transformer + gru | gated has a mean NDCG@10" in page.text


def test_verdicts_on_claims_stand_on_the_page(make_study):
    arms = "transformer + gru | gated > transformer + gru | long_only"
    study = make_study(seeds=[1, 2], claims=[f"{arms} on recall@10"])
    for seed in (1, 2):
        study.run("gated", seed, [0] * 40)
        study.run("long_only", seed, [50] * 40)
    html = write_page(study.path).read_text(encoding="utf-8")
    page = Page(html)
    text = " ".join(page.text.split())
    assert f"Of 1 claim, supported: {arms} on Recall@10." in text
    assert "Verdicts on the claims" in text
    assert '<span class="dagger">†</span>' in html
    assert write_page(study.path).read_text(encoding="utf-8") == html
