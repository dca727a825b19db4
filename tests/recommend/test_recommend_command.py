"""`research recommend` as a person types it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from research.cli import app
from research.errors import UserError
from research.recommend.recommender import Recommender

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:simulated. .* items have no")]


def test_the_table_and_what_was_asked(trained, tmp_path) -> None:
    new = tmp_path / "new.csv"
    new.write_text('item,title,genre\nn1,"Quiet [b]story[/b]",Crime\n')
    words = ["recommend", str(trained["text_ids"]), "--history", "Crime, part 1; comedy, part 2", "-k", "60"]
    result = CliRunner().invoke(app, [*words, "--items", str(new)], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    assert "History of 2 items, the latest last: Crime, part 1 | Comedy, part 2" in result.stdout
    assert "Long-term" in result.stdout and "short-term" in result.stdout
    (line,) = (line for line in result.stdout.splitlines() if "Quiet" in line)
    assert "[b]story[/b]" in line and line.rstrip("│ ").endswith("new")
    assert "reads times" in result.stderr


def test_json_is_what_python_says(trained) -> None:
    words = ["recommend", str(trained["text"]), "--user", "3", "--text", "quiet story", "-k", "3", "--seen", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    answer = Recommender(trained["text"]).for_user("3", text="quiet story", top=3, seen=True)
    assert json.loads(result.stdout) == answer.plain()
    assert json.loads(result.stdout)["user"] == "3" and len(answer.rows) == 3


def test_a_text_of_any_script_is_read_and_said_again(trained) -> None:
    text = "ruhige Science-Fiction über Erinnerung; тихая фантастика; 静かなSF"
    result = CliRunner().invoke(app, ["recommend", str(trained["text"]), "--text", text, "-k", "2", "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["text"] == text and len(answer["rows"]) == 2


def test_when_is_asked_reaches_every_kind_of_question(trained) -> None:
    for question in (["--user", "3"], ["--history", "3;4"], ["--text", "quiet story"]):
        result = CliRunner().invoke(app, ["recommend", str(trained["text"]), *question, "--after", "2h"])
        assert result.exit_code == 0 and "reads no times" in result.stderr, result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Recommend to whom"),
        (["--user", "1", "--history", "x"], "two histories"),
        (["--history", " ; "], "history is empty"),
        (["--user", "3", "--after", "soon"], "--after soon: a number"),
    ],
)
def test_a_question_that_is_none(trained, words: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["recommend", str(trained["text"]), *words])
    assert isinstance(result.exception, UserError) and says in str(result.exception)
