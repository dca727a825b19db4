"""What a record says of the code is about the code that ran."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import research
from research.training import environment


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "research").mkdir()
    (tmp_path / "research" / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(research, "__file__", str(tmp_path / "research" / "__init__.py"))
    environment._code.cache_clear()
    yield tmp_path
    environment._code.cache_clear()


def git(place: Path, *words: str) -> str:
    who = ("-c", "user.name=n", "-c", "user.email=e@e")
    return subprocess.run(["git", "-C", str(place), *who, *words], capture_output=True, text=True, check=True).stdout


def commit(place: Path, text: str) -> str:
    (place / "research" / "__init__.py").write_text(text)
    git(place, "add", ".")
    git(place, "commit", "-qm", "m")
    return git(place, "rev-parse", "HEAD").strip()


def test_a_process_names_the_commit_that_it_loaded(checkout: Path) -> None:
    first = commit(checkout, "a = 1")
    assert environment.code() == {"version": research.__version__, "commit": first, "changed": False}
    second = commit(checkout, "a = 2")
    assert environment.code()["commit"] == first != second, "committed while the process ran"
    environment._code.cache_clear()  # another process
    assert environment.code()["commit"] == second


def test_files_that_differ_are_said(checkout: Path) -> None:
    commit(checkout, "a = 1")
    (checkout / "research" / "__init__.py").write_text("a = 3")
    assert environment.code()["changed"] is True


def test_an_installed_package_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(research, "__file__", str(tmp_path / "research" / "__init__.py"))
    environment._code.cache_clear()
    assert environment.code() == {"version": research.__version__, "commit": None, "changed": None}
    environment._code.cache_clear()
