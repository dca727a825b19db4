"""The yardstick: SASRec, GRU4Rec and BERT4Rec as a bare PyTorch loop, as fast as plain torch gets on a CPU.

Nothing of ``research`` is used here, so a slow habit of the framework cannot hide in its own yardstick. It computes
what the framework computes (same model, data, batches, loss, optimizer; a test compares the numbers) without Lightning,
callbacks, logs, checkpoints or validation. What makes it fast, each measured alone on a loaded machine:

- logits at real positions only, right padding, the causal flag instead of a mask, batches of similar length;
- the last block only where a state is asked for, if that is less than half of the positions;
- the softmax's gradient is formed while the scores of a chunk are at hand, products in bf16 where the chip has AMX;
- one scatter adds inputs and targets to the table's gradient, whose softmax part is made transposed and turned once;
- dropout masks from numpy's raw bytes, compared straight into floats (a fifth of the time of a boolean mask);
- freed memory stays in the process (glibc), Adam is fused.

Run it alone: ``python -m scripts.bench.reference DATA.npz --model transformer --max-length 50``

Shape legend: U users, B rows, T positions, N supervised positions, D width, I items, H heads, C rows of a chunk.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.bench.turns import Turn

POOL = 16
"""Batches that are sorted by length together, as in the framework: the same company, the same padding."""
ROWS = 128
"""Rows of a product are a multiple of this: oneDNN compiles a kernel for every new shape of a bf16 product."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the model and of the training step."""

    model: str = "transformer"
    width: int = 64
    blocks: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_length: int = 50
    batch_size: int = 128
    lr: float = 1e-3
    mask_rate: float = 0.2
    last_only: float = 0.1
    chunk: int = 1024
    bf16: bool = any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_bf16", "avx512_bf16"))
    seed: int = 1


class Masks:
    """Dropout: a byte decides for each value, so the rate is rounded to 1/256; eight come from one draw."""

    def __init__(self, rate: float, seed: int) -> None:
        self.threshold = round(rate * 256)
        self.scale = 256 / (256 - self.threshold)
        self.random = np.random.SFC64(seed)
        self.training = True

    def draw(self, like: Tensor) -> Tensor | None:
        """0 or the scale for each value; ``None`` when nothing is dropped."""
        if not self.training or self.threshold == 0:
            return None
        draws = self.random.random_raw(-(-like.numel() // 8))
        bytes_ = torch.from_numpy(draws).view(torch.uint8)[: like.numel()].view(like.shape)
        return torch.ge(bytes_, self.threshold, out=torch.empty(like.shape)).mul_(self.scale)

    def drop(self, x: Tensor) -> Tensor:
        mask = self.draw(x)
        return x if mask is None else x * mask

    def drop_add(self, x: Tensor, y: Tensor) -> Tensor:
        """``x + drop(y)`` in one pass."""
        mask = self.draw(y)
        return x + y if mask is None else _AddMasked.apply(x, y, mask)  # type: ignore[return-value]


class _AddMasked(torch.autograd.Function):
    """``x + y * mask``; autograd's own addcmul would make a pass more on the way back."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(mask)
        return torch.addcmul(x, y, mask)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return grads[0], grads[0] * ctx.saved_tensors[0], None


class Block(nn.Module):
    """Pre-norm attention and feed-forward layers."""

    def __init__(self, width: int, heads: int, inner: int, masks: Masks, causal: bool) -> None:
        super().__init__()
        self.heads, self.masks, self.causal = heads, masks, causal
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x_BTD: Tensor, visible_B11T: Tensor | None) -> Tensor:
        return self.behind(x_BTD, self.attend(x_BTD, visible_B11T))

    def asked(self, x_BTD: Tensor, visible_B11T: Tensor | None, asked_N: Tensor) -> Tensor:
        """``(N, D)``: the last block where few states are asked for; only its keys and values need every position."""
        b, t, d = x_BTD.shape
        x_ND = F.embedding(asked_N, x_BTD.reshape(-1, d))
        if len(asked_N) != b:  # every row is asked at least once, so as many as rows means one a row: an evaluation
            return self.behind(x_ND, F.embedding(asked_N, self.attend(x_BTD, visible_B11T).view(-1, d)))
        kv = F.linear(self.norm_attention(x_BTD), self.qkv.weight[d:], self.qkv.bias[d:])
        k, v = kv.view(b, t, 2, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        q = F.linear(self.norm_attention(x_ND), self.qkv.weight[:d], self.qkv.bias[:d]).view(b, self.heads, 1, -1)
        if visible_B11T is None:
            visible_B11T = (torch.arange(b * t).view(b, t) <= asked_N[:, None])[:, None, None, :]
        return self.behind(x_ND, F.scaled_dot_product_attention(q, k, v, attn_mask=visible_B11T).view(b, d))

    def attend(self, x_BTD: Tensor, visible_B11T: Tensor | None) -> Tensor:
        b, t, d = x_BTD.shape
        qkv = self.qkv(self.norm_attention(x_BTD)).view(b, t, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=visible_B11T, is_causal=self.causal)
        return a.transpose(1, 2).reshape(b, t, d)

    def behind(self, x: Tensor, a: Tensor) -> Tensor:
        """What follows the attention, for each position alone."""
        x = self.masks.drop_add(x, self.out(a))
        inner = self.inner(self.norm_inner(x))
        # A mask is never negative, so it may come before relu, which then works in place.
        inner = self.masks.drop(inner).relu_() if self.causal else self.masks.drop(F.gelu(inner))
        return self.masks.drop_add(x, self.outer(inner))


class Transformer(nn.Module):
    """SASRec, or BERT4Rec when it is not causal."""

    def __init__(self, s: Settings, masks: Masks, causal: bool) -> None:
        super().__init__()
        self.masks, self.causal = masks, causal
        self.positions = nn.Embedding(s.max_length, s.width)
        nn.init.normal_(self.positions.weight, std=0.02)
        inner = s.width if causal else 4 * s.width
        self.blocks = nn.ModuleList(Block(s.width, s.heads, inner, masks, causal) for _ in range(s.blocks))
        self.norm = nn.LayerNorm(s.width)
        if not causal:
            self.out, self.norm_out = nn.Linear(s.width, s.width), nn.LayerNorm(s.width)

    def forward(self, x_BTD: Tensor, length_B: Tensor, asked_N: Tensor) -> Tensor:
        """``(N, D)`` states at flat positions ``row * T + position``, ascending."""
        t, d = x_BTD.shape[1:]
        h_BTD = self.masks.drop(torch.add(self.positions.weight[:t], x_BTD, alpha=d**0.5))
        visible = None if self.causal else (torch.arange(t) < length_B[:, None])[:, None, None, :]
        for block in self.blocks[:-1]:
            h_BTD = block(h_BTD, visible)
        last = self.blocks[-1]
        assert isinstance(last, Block)
        if 2 * len(asked_N) > h_BTD.shape[0] * t:  # nearly all: picking them out would cost more than it saves
            h_ND = F.embedding(asked_N, last(h_BTD, visible).view(-1, d))
        else:
            h_ND = last.asked(h_BTD, visible, asked_N)
        h_ND = self.norm(h_ND)
        return h_ND if self.causal else self.norm_out(F.gelu(self.out(h_ND)))


class Gru(nn.Module):
    """GRU4Rec over whole histories."""

    def __init__(self, s: Settings, masks: Masks) -> None:
        super().__init__()
        self.masks = masks
        self.cell = nn.GRU(s.width, s.width, batch_first=True)

    def forward(self, x_BTD: Tensor, length_B: Tensor, asked_N: Tensor) -> Tensor:
        d = x_BTD.shape[-1]
        h_BTD, _ = self.cell(self.masks.drop(x_BTD * d**0.5))
        return self.masks.drop(F.embedding(asked_N, h_BTD.reshape(-1, d)))


@dataclass(frozen=True)
class Data:
    """Histories in compressed rows; the last item of a user is for the test, the one before for validation."""

    offsets: np.ndarray
    items: np.ndarray
    n_items: int

    @staticmethod
    def read(path: Path) -> Data:
        with np.load(path, allow_pickle=False) as arrays:
            return Data(arrays["offsets"], arrays["items"].astype(np.int64), int(arrays["n_items"]))

    def training_spans(self, longest: int, least: int) -> tuple[np.ndarray, np.ndarray]:
        """Start and stop of each user's training items, the latest ``longest``."""
        start, stop = self.offsets[:-1], self.offsets[1:]
        stop = np.where(stop - start >= 3, stop - 2, stop)
        useful = stop - start >= least
        return np.maximum(start, stop - longest)[useful], stop[useful]

    def rectangle(self, start_B: np.ndarray, stop_B: np.ndarray) -> Tensor:
        """``(B, T)`` items, 0 behind the end."""
        length_B = stop_B - start_B
        step_T = np.arange(length_B.max())
        index_BT = np.minimum(start_B[:, None] + step_T, len(self.items) - 1)
        return torch.from_numpy(np.where(step_T < length_B[:, None], self.items[index_BT], 0))


@dataclass(frozen=True)
class Step:
    """What a training step reads."""

    items_BT: Tensor
    length_B: Tensor
    asked_N: Tensor
    target_N: Tensor


class Trainer:
    """Weights, optimizer and random streams of one run."""

    def __init__(self, settings: Settings, data: Data) -> None:
        self.s, self.data = settings, data
        torch.manual_seed(settings.seed)
        self.random = np.random.default_rng(settings.seed)
        self.masks = Masks(settings.dropout, settings.seed)
        self.table = nn.Parameter(torch.randn(data.n_items + 2, settings.width) * 0.02)
        self.masked = settings.model == "bert4rec"
        if settings.model == "gru":
            self.encoder: nn.Module = Gru(settings, self.masks)
        else:
            self.encoder = Transformer(settings, self.masks, causal=not self.masked)
        self.optimizer = torch.optim.Adam([self.table, *self.encoder.parameters()], lr=settings.lr, fused=True)
        room = 0 if self.masked else 1  # shifted inputs read one item more
        self.start_S, self.stop_S = data.training_spans(settings.max_length + room, 1 + room)
        length_S = self.stop_S - self.start_S
        if self.masked:
            several = length_S * settings.mask_rate + (1 - settings.mask_rate) ** length_S
            expected = settings.last_only + (1 - settings.last_only) * several
        else:
            expected = length_S - 1
        self.steps = -(-len(length_S) // settings.batch_size)
        self.per_step = float(expected.sum()) / self.steps
        """Positions of an average step, what each step's summed loss is divided by."""
        self.done = 0
        """Steps."""

    def batches(self) -> Iterator[np.ndarray]:
        """Spans of each step: random, then sorted by length within pools, then in random order."""
        length_S, size = self.stop_S - self.start_S, self.s.batch_size
        order = self.random.permutation(len(length_S))
        batches = []
        for i in range(0, len(order), POOL * size):
            some = order[i : i + POOL * size]
            some = some[np.argsort(length_S[some], kind="stable")]
            batches += [some[j : j + size] for j in range(0, len(some), size)]
        for i in self.random.permutation(len(batches)):
            yield batches[i]

    def step(self, spans_B: np.ndarray) -> Step:
        items_BT = self.data.rectangle(self.start_S[spans_B], self.stop_S[spans_B])
        length_B = torch.from_numpy(self.stop_S[spans_B] - self.start_S[spans_B])
        if self.masked:
            hidden_BT = self.hidden(length_B, items_BT.shape[1])
            asked_N = hidden_BT.view(-1).nonzero().squeeze(1)
            target_N = items_BT.view(-1)[asked_N]
            return Step(items_BT.masked_fill(hidden_BT, self.data.n_items + 1), length_B, asked_N, target_N)
        next_BT = items_BT[:, 1:].contiguous()
        asked_N = next_BT.view(-1).nonzero().squeeze(1)
        return Step(items_BT[:, :-1].contiguous(), length_B - 1, asked_N, next_BT.view(-1)[asked_N])

    def hidden(self, length_B: Tensor, t: int) -> Tensor:
        """``(B, T)`` items to hide: some of each row, at least one, and only the last of a few rows."""
        real_BT = torch.arange(t) < length_B[:, None]
        draw_BT = torch.from_numpy(self.random.random((len(length_B), t), dtype=np.float32)).masked_fill_(~real_BT, 2)
        hidden_BT = draw_BT < self.s.mask_rate
        rows = torch.arange(len(length_B))
        hidden_BT[rows, draw_BT.argmin(1)] = True
        last_only = torch.from_numpy(self.random.random(len(length_B)) < self.s.last_only)
        hidden_BT[last_only] = False
        hidden_BT[rows[last_only], length_B[last_only] - 1] = True
        return hidden_BT

    def gradients(self, step: Step) -> Tensor:
        """Set every gradient, return the summed loss."""
        x_BTD = F.embedding(step.items_BT, self.table.detach()).requires_grad_()
        h_ND = self.encoder(x_BTD, step.length_B, step.asked_N)
        candidates_ID = self.table.detach()[1 : self.data.n_items + 1]
        share = 1 / self.per_step
        loss, grad_h_ND, grad_w_DI = linear_cross_entropy(
            h_ND.detach(), candidates_ID, step.target_N - 1, share, self.s.chunk, self.s.bf16
        )
        h_ND.backward(grad_h_ND)
        assert x_BTD.grad is not None
        grad = torch.empty_like(self.table)
        grad[0] = grad[-1] = 0
        grad[1:-1] = grad_w_DI.t()
        # The minus of the targets meets the plus of the inputs in one scatter.
        index = torch.cat([step.items_BT.view(-1), step.target_N])
        values = torch.cat([x_BTD.grad.view(-1, self.s.width), h_ND.detach() * -share])
        self.table.grad = grad.index_add_(0, index, values)
        return loss

    def epoch(self, limit: int | None = None, turn: Turn | None = None) -> tuple[float, int]:
        """Train for one epoch, or ``limit`` steps of it, in turns; returns the mean loss and the positions."""
        self.masks.training = True
        total, positions = torch.zeros((), dtype=torch.float64), 0
        for number, spans_B in enumerate(self.batches()):
            if number == limit:
                break
            step = self.step(spans_B)
            total += self.gradients(step)
            positions += len(step.target_N)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.done += 1
            if turn is not None:
                turn.reached(self.done / self.steps)
        return float(total) / positions, positions

    @torch.no_grad()
    def evaluate(self, size: int = 256, limit: int | None = None) -> np.ndarray:
        """Rank of each user's last item among the catalogue without what the user has seen; from 0, ties not counted.

        Args:
            size: users that are encoded together.
            limit: evaluate only so many users.
        """
        self.masks.training = False
        start_Q, stop_Q = self.data.offsets[:-1], self.data.offsets[1:]
        held = np.flatnonzero(stop_Q - start_Q >= 3)[:limit]
        order = held[np.argsort((stop_Q - start_Q)[held], kind="stable")]
        candidates_DI = self.table.detach()[1:-1].t().contiguous()
        better_U = np.zeros(len(stop_Q), dtype=np.int64)
        for i in range(0, len(order), size):
            user_B = order[i : i + size]
            start_B, stop_B = start_Q[user_B], stop_Q[user_B] - 1
            read_B = np.maximum(start_B, stop_B - (self.s.max_length - self.masked))
            items_BT = self.data.rectangle(read_B, stop_B)
            length_B = torch.from_numpy(stop_B - read_B)
            if self.masked:  # the mask stands where the next item would
                items_BT = F.pad(items_BT, (0, 1)).scatter_(1, length_B[:, None], self.data.n_items + 1)
                length_B = length_B + 1
            b, t = items_BT.shape
            h_BD = self.encoder(F.embedding(items_BT, self.table), length_B, torch.arange(b) * t + length_B - 1)
            score_BI = torch.mm(h_BD, candidates_DI)
            target_B = torch.from_numpy(self.data.items[stop_B] - 1)
            target_score_B1 = score_BI.gather(1, target_B[:, None])
            seen = self.data.rectangle(start_B, stop_B)
            row, column = (seen > 0).nonzero(as_tuple=True)
            score_BI[row, seen[row, column] - 1] = -torch.inf
            better_U[user_B] = _count(score_BI > target_score_B1)
        return better_U[held]


def _count(true_BI: Tensor) -> np.ndarray:
    """How many of each row are true; on bytes, because torch sums booleans in half the speed."""
    return true_BI.view(torch.uint8).sum(1, dtype=torch.int32).numpy()


def linear_cross_entropy(
    h_ND: Tensor, w_ID: Tensor, target_N: Tensor, share: float, chunk: int, bf16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """``-log softmax(h w^T)[target]``, summed, and the gradients of ``share`` times that.

    Returns:
        The loss; the gradient of ``h_ND``; the gradient of ``w_ID``, transposed and *without* the ``-share * h`` in the
        targets' rows, which the caller adds where it is cheap. Of one chunk it is as the product left it, in bf16.
    """
    n, kind = len(h_ND), torch.bfloat16 if bf16 else h_ND.dtype
    h_low_ND = F.pad(h_ND, (0, 0, 0, -n % ROWS)).to(kind)
    w_low_ID = w_ID.to(kind)
    w_low_DI = w_low_ID.t().contiguous()
    grad_h_ND = torch.empty_like(h_low_ND, dtype=h_ND.dtype)
    grad_w_DI: Tensor | None = None
    p_target_N = h_ND.new_empty(n)
    for i in range(0, n, chunk):
        c = slice(i, i + chunk)
        p_CI = torch.mm(h_low_ND[c], w_low_DI)
        torch.softmax(p_CI, dim=1, out=p_CI)
        p_target_N[c] = p_CI[: n - i].gather(1, target_N[c, None]).squeeze(1)
        grad_h_ND[c] = torch.mm(p_CI, w_low_ID)
        part_DI = torch.mm((h_low_ND[c] * share).t().contiguous(), p_CI)
        grad_w_DI = part_DI if grad_w_DI is None else grad_w_DI.to(h_ND.dtype).add_(part_DI)
    assert grad_w_DI is not None
    loss = -p_target_N.clamp_(min=torch.finfo(h_ND.dtype).tiny).log_().sum()
    return loss, (grad_h_ND[:n] - F.embedding(target_N, w_ID)).mul_(share), grad_w_DI


def keep_freed_memory() -> None:
    """glibc gives large temporaries back to the kernel, and every step would pay for their pages again."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def measure(settings: Settings, data: Data, epochs: int, limit: int | None = None) -> dict[str, object]:
    """A warm-up epoch, ``epochs`` timed ones, a warm-up evaluation and a timed one; ``limit`` steps and users each."""
    turn = Turn()
    keep_freed_memory()
    trainer = Trainer(settings, data)
    trainer.epoch(limit, turn)
    seconds, positions, loss = [], 0, 0.0
    for _ in range(epochs):
        started = turn.now()
        loss, positions = trainer.epoch(limit, turn)
        seconds.append(turn.now() - started)
    users = None if limit is None else limit * settings.batch_size
    trainer.evaluate(limit=512)
    started = time.perf_counter()
    better = trainer.evaluate(limit=users)
    seconds_evaluation = time.perf_counter() - started
    steps = trainer.steps if limit is None else min(limit, trainer.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "epoch_s": seconds,
        "whole_epoch": steps == trainer.steps,
        "histories": len(trainer.stop_S) if steps == trainer.steps else steps * settings.batch_size,
        "positions": positions,
        "loss": loss,
        "eval_users_per_s": len(better) / seconds_evaluation,
        "hr@10": float((better < 10).mean()),
        "peak_rss_bytes": peak if sys.platform == "darwin" else peak * 1024,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Measure and write one JSON object to stdout."""
    parser = argparse.ArgumentParser(description="A plain-PyTorch loop, timed.")
    parser.add_argument("data", type=Path, help=".npz with offsets, items (from 1), n_items")
    parser.add_argument("--model", choices=["transformer", "gru", "bert4rec"], default="transformer")
    parser.add_argument("--max-length", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=1, help="timed epochs, behind one of warm-up")
    parser.add_argument("--limit", type=int, help="steps of an epoch, for a trial")
    a = parser.parse_args()
    settings = Settings(model=a.model, max_length=a.max_length)
    sys.stdout.write(json.dumps(measure(settings, Data.read(a.data), a.epochs, a.limit)) + "\n")


if __name__ == "__main__":
    main()
