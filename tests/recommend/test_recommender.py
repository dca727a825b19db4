"""Recommendations against the model asked by hand: one history, a loop over the catalogue, a text through transformers.

Shape legend: T positions, I items, E numbers of a text, D width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from research.data.batch import Batch, Positions
from research.data.histories import Histories
from research.data.split import Split
from research.ensembles.trained import TrainedRun
from research.errors import UserError
from research.fusion.base import Fused
from research.fusion.candidate_gate import GatedByCandidate
from research.model import InterestModel
from research.recommend.recommender import Recommender
from research.training.assemble import assemble

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:simulated. .* items have no")]


def by_hand(directory: Path) -> tuple[InterestModel, Histories, Split]:
    run = TrainedRun(directory)
    histories, split = run.load()
    model = assemble(run.config, histories, split.train).model
    model.load_state_dict(load_file(directory / "weights.safetensors"))
    return model.eval(), histories, split


def asked(model: nn.Module, items: list[int], times: list[int], user: int = 0, after: int = 0) -> Fused:
    """The state behind the last item, so many seconds after it."""
    batch = Batch(
        users_B=torch.tensor([user]),
        items_BT=torch.tensor([items]),
        times_BT=torch.tensor([times]),
        now_BT=torch.tensor([[*times[1:], times[-1] + after]]),
        length_B=torch.tensor([len(items)]),
    )
    with torch.no_grad():
        return model(batch, Positions(torch.tensor([0]), torch.tensor([len(items) - 1])))


def one_by_one(fused: Fused, vectors_ID: Tensor) -> list[float]:
    with torch.no_grad():
        return [float(fused.score(vector_D[None])) for vector_D in vectors_ID]


def best(score_I: list[float], without: list[int]) -> list[int]:
    """Items from 1, the best first, of equals the first in the catalogue."""
    left = [item for item in range(1, len(score_I) + 1) if item not in without]
    return sorted(left, key=lambda item: (-score_I[item - 1], item))


@pytest.mark.parametrize("arm", ["text_ids", "text", "ids", "users"])
def test_a_user_gets_what_the_model_says_of_their_whole_history(trained, arm: str) -> None:
    model, histories, split = by_hand(trained[arm])
    user = int(np.argmax(histories.lengths))
    span = slice(histories.offsets[user], histories.offsets[user + 1])
    items, times = histories.items[span].tolist(), histories.times[span].tolist()
    assert len(items) > 8, "longer than the rows of the model"
    read = (
        ([*items[-7:], histories.n_items + 1], times[-7:] + times[-1:]) if arm == "text" else (items[-8:], times[-8:])
    )
    fused = asked(model, *read, user)
    with torch.no_grad():
        score_I = one_by_one(fused, model.items.candidates())
    expected = best(score_I, without=items)

    recommender = Recommender(trained[arm])
    answer = recommender.for_user(str(histories.user_ids[user]), top=5)
    assert [row.item for row in answer.rows] == [str(histories.item_ids[item - 1]) for item in expected[:5]]
    assert [row.score for row in answer.rows] == pytest.approx([score_I[item - 1] for item in expected[:5]], rel=1e-4)
    assert [row.rank for row in answer.rows] == [1, 2, 3, 4, 5] and not any(row.new for row in answer.rows)
    count_I = np.bincount(histories.items[split.train.positions], minlength=histories.n_items + 1)
    assert [row.trained for row in answer.rows] == count_I[expected[:5]].tolist()
    assert histories.titles is not None and answer.rows[0].title == histories.titles[expected[0] - 1]
    assert [one.item for one in answer.history] == [str(histories.item_ids[item - 1]) for item in items]
    if fused.weight_N2 is None:
        assert arm in ("users", "ids") and answer.shares is None
    else:
        assert answer.shares is not None
        assert [answer.shares.long, answer.shares.short] == pytest.approx(fused.weight_N2[0].tolist(), rel=1e-5)

    if isinstance(fused, GatedByCandidate):  # another share for each item
        with torch.no_grad():
            mixed = [(fused.share(v[None]), fused.long_ND @ v, fused.short_ND @ v) for v in model.items.candidates()]
        assert [row.long for row in answer.rows] == pytest.approx([float(mixed[i - 1][0]) for i in expected[:5]])
        for row, item in zip(answer.rows, expected, strict=False):
            share, long, short = map(float, mixed[item - 1])
            assert row.score == pytest.approx(share * long + (1 - share) * short, rel=1e-4)
    else:
        assert arm != "ids" and all(row.long is None for row in answer.rows)

    everything = recommender.for_user(str(histories.user_ids[user]), top=1000, seen=True)
    assert [row.item for row in everything.rows] == [str(histories.item_ids[i - 1]) for i in best(score_I, without=[])]


def test_a_typed_history_ends_with_the_data_a_minute_apart(trained) -> None:
    model, histories, _ = by_hand(trained["text_ids"])
    assert histories.titles is not None
    items, last = [3, 11, 4], int(histories.times.max())
    fused = asked(model, items, [last - 120, last - 60, last])
    with torch.no_grad():
        score_I = one_by_one(fused, model.items.candidates())
    words = [str(histories.titles[2]), str(histories.titles[10]).upper(), str(histories.titles[3])]
    answer = Recommender(trained["text_ids"]).for_history(words, top=4)
    assert [row.item for row in answer.rows] == [str(histories.item_ids[i - 1]) for i in best(score_I, items)[:4]]
    assert answer.user is None and [one.title for one in answer.history] == histories.titles[[2, 10, 3]].tolist()
    assert any("reads times (session)" in note for note in answer.notes)
    assert not any("reads times" in note for note in Recommender(trained["text"]).for_history(words).notes)


def test_when_it_is_asked_counts_where_times_are_read(trained) -> None:
    model, histories, _ = by_hand(trained["moment"])
    recommender, name = Recommender(trained["moment"]), str(histories.user_ids[0])
    first = slice(0, histories.offsets[1])
    items, times = histories.items[first][-8:].tolist(), histories.times[first][-8:].tolist()
    for after in (0, 86_400):
        with torch.no_grad():
            score_I = one_by_one(asked(model, items, times, after=after), model.items.candidates())
        answer = recommender.for_user(name, top=1000, seen=True, after=after)
        assert [row.item for row in answer.rows] == [str(histories.item_ids[i - 1]) for i in best(score_I, without=[])]
        assert any("reads times (hstu)" in note for note in answer.notes) == (after == 0)
    with pytest.raises(UserError, match="after=-1"):
        recommender.for_user(name, after=-1)
    assert any("changes nothing" in note for note in Recommender(trained["text"]).for_user(name, after=9).notes)


class Vectors(nn.Module):
    """Items as rows of a given table, 0 the padding."""

    def __init__(self, vectors_ID: Tensor) -> None:
        super().__init__()
        self.table_VD = torch.cat([torch.zeros_like(vectors_ID[:1]), vectors_ID])

    def forward(self, items: Tensor) -> Tensor:
        return self.table_VD[items]


def read_by_transformers(directory: Path, texts: list[str]) -> Tensor:
    """``(I, E)`` means over tokens, one text at a time."""
    from transformers import AutoModel, AutoTokenizer

    words, model = AutoTokenizer.from_pretrained(directory), AutoModel.from_pretrained(directory).eval()
    with torch.no_grad():
        return torch.cat([model(**words(text, return_tensors="pt")).last_hidden_state.mean(dim=1) for text in texts])


@pytest.mark.parametrize("user", [0, None])
def test_a_text_is_read_as_the_latest_item_and_never_offered(trained, user: int | None) -> None:
    model, histories, split = by_hand(trained["text_ids"])
    assert histories.titles is not None
    text, n = "quiet crime story", histories.n_items
    bert = Path(TrainedRun(trained["text_ids"]).config["items"].parts.text.model)
    text_VE = read_by_transformers(bert, [*histories.titles.tolist(), text])
    met_I = np.bincount(histories.items[split.train.positions], minlength=n + 1)[1:] > 0
    # Titles have a mean squared length of 1 over the items of the training histories; the text has no id.
    length = text_VE[:n][torch.from_numpy(met_I)].square().sum(dim=1).mean().sqrt()
    with torch.no_grad():
        vector_D = text_VE[n] / length @ model.items.parts["text"].adaptor.weight.T  # type: ignore[index, union-attr]
        known_ID = model.items.candidates()
    items, times = [], [int(histories.times.max()) - 60]
    if user is not None:
        span = slice(histories.offsets[user], histories.offsets[user + 1])
        items, times = histories.items[span].tolist(), histories.times[span].tolist()
    model.items = Vectors(torch.cat([known_ID, vector_D[None]]))  # type: ignore[assignment]
    read = ([*items, n + 1][-8:], [*times, times[-1] + 60][-(len(items) + 1) :][-8:])
    fused = asked(model, *read, user or 0)
    score_I = one_by_one(fused, known_ID)

    recommender = Recommender(trained["text_ids"])
    if user is None:
        answer = recommender.for_text(text, top=1000)
    else:
        answer = recommender.for_user(str(histories.user_ids[user]), text=text, top=1000)
    expected = best(score_I, without=items)
    assert [row.score for row in answer.rows] == pytest.approx([score_I[i - 1] for i in expected], rel=1e-3, abs=1e-5)
    assert sorted(row.item for row in answer.rows) == sorted(str(histories.item_ids[i - 1]) for i in expected)
    assert answer.text == text and len(answer.history) == len(items)


@pytest.fixture
def new_items(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    path.write_text('item,title\nn1,"Crime, part 3"\nn2,"Quiet story"\nn3,\n')
    return path


@pytest.mark.parametrize("arm", ["text_ids", "text"])
def test_new_items_leave_the_scores_of_the_others(trained, new_items: Path, arm: str) -> None:
    before = Recommender(trained[arm]).for_history(["Crime, part 1", "Comedy, part 2"], top=1000)
    after = Recommender(trained[arm], new_items).for_history(["Crime, part 1", "Comedy, part 2"], top=1000)
    score = {row.item: row.score for row in after.rows}
    assert len(before.rows) == 38 and len(after.rows) == 40
    for row in before.rows:
        assert score[row.item] == pytest.approx(row.score, rel=1e-5, abs=1e-6)
    new = {row.item: row for row in after.rows if row.new}
    assert set(new) == {"n1", "n2"} and all(row.trained == 0 for row in new.values())
    assert "1 of 3 new items have nothing that this run reads: not offered." in after.notes
    old = next(row for row in after.rows if row.title == "Crime, part 3" and not row.new)
    if arm == "text":  # to it an item is its title; of equals the first in the catalogue comes first
        assert new["n1"].score == old.score and new["n1"].rank == old.rank + 1
    else:
        assert new["n1"].score != old.score


def test_where_the_best_new_item_stands_is_said(trained, new_items: Path) -> None:
    recommender = Recommender(trained["text"], new_items)
    rank = min(row.rank for row in recommender.for_user("5", top=1000).rows if row.new)
    assert rank > 1, "another user is needed for this test"
    assert any(f"at rank {rank} of" in note for note in recommender.for_user("5", top=rank - 1).notes)
    assert not any("at rank" in note for note in recommender.for_user("5", top=rank).notes)


def test_new_items_may_stand_in_a_history_and_beside_a_text(trained, new_items: Path) -> None:
    recommender = Recommender(trained["text"], new_items)
    assert recommender.for_history(["quiet story"], top=1000).history[0].item == "n2"
    same = recommender.for_history(["Crime, part 3"], seen=True, top=1000)
    by_id = recommender.for_history(["n1"], seen=True, top=1000)
    assert [row.score for row in same.rows] == pytest.approx([row.score for row in by_id.rows], rel=1e-6)
    answer = recommender.for_text("crime, part 3", seen=True, top=1000)
    assert [row.item for row in answer.rows] == [row.item for row in same.rows]


def test_popularity_answers_too_and_equals_stand_in_the_order_of_the_catalogue(trained) -> None:
    histories, split = TrainedRun(trained["popularity"]).load()
    count_I = np.bincount(histories.items[split.train.positions], minlength=histories.n_items + 1)[1:]
    assert len(set(count_I.tolist())) < histories.n_items
    expected = best(count_I.tolist(), without=[7])
    answer = Recommender(trained["popularity"]).for_history([str(histories.item_ids[6])], top=1000)
    assert [row.item for row in answer.rows] == [str(histories.item_ids[item - 1]) for item in expected]
    assert answer.shares is None


def test_what_a_run_cannot_answer_is_refused(trained, new_items: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("item,title\nn1,\n")
    ids, text, history = Recommender(trained["ids"]), Recommender(trained["text"]), ["Crime, part 1"]
    for says, ask in (
        ("reads no titles, so a text says nothing to it.* items=text_ids", lambda: ids.for_text("quiet")),
        ("an id that training never met says nothing", lambda: Recommender(trained["ids"], new_items).for_user("1")),
        ("new items have nothing that this run reads", lambda: Recommender(trained["text"], empty).for_user("1")),
        ("encoder@long=user reads who the user is", lambda: Recommender(trained["users"]).for_history(history)),
        ("neither new items nor a text", lambda: Recommender(trained["popularity"]).for_user("1", text="quiet")),
        ("The text is empty", lambda: text.for_user("1", text=" ")),
        ("has no user '777'", lambda: text.for_user("777")),
        ("at least 1 item", lambda: text.for_user("1", top=0)),
    ):
        with pytest.raises(UserError, match=says):
            ask()


def test_random_vectors_take_no_new_items(trained, new_items: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from research.recommend import scores

    monkeypatch.setattr(scores, "draws_vectors", lambda items: True)
    with pytest.raises(UserError, match="random, the control without meaning"):
        Recommender(trained["text"], new_items).for_user("1")
