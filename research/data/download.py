"""Download one URL into a file: give up on a dead source at once, bound the size, continue what broke off.

A dead source must not cost the user's time, so the host is knocked at first, on a thread of its own with a
time limit: neither a name server nor a firewall that stays silent can hold us longer. There are no retries.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from research.data.atomic import unused_sibling
from research.data.raw import UnavailableError

Progress = Callable[[str, int, int | None], None]
"""Called with the source's name, the bytes so far, and the bytes in all where known."""

_CHUNK = 64 * 1024


class DeadHostError(UnavailableError):
    """The host does not exist or does not answer: its other addresses need not be tried."""


def knock(url: str, seconds: float) -> None:
    """Find out within ``seconds`` whether the host of ``url``, or the proxy before it, takes connections.

    Raises:
        DeadHostError: no such host, or silence.
        UnavailableError: the connection was refused; another port of the same host may answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnavailableError("only http and https addresses are fetched")
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    outcome: list[OSError | None] = []

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=seconds).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome or isinstance(outcome[0], TimeoutError):
        raise DeadHostError(f"{address[0]} did not answer within {seconds:g} s")
    if isinstance(outcome[0], socket.gaierror):
        raise DeadHostError(f"the name {address[0]} cannot be resolved; no network?")
    if outcome[0] is not None:
        raise UnavailableError(f"no connection to {address[0]}:{address[1]} ({outcome[0].strerror or outcome[0]})")


def download(
    url: str,
    target: Path,
    *,
    max_bytes: int,
    progress: Progress | None = None,
    connect_seconds: float = 3.0,
    silence_seconds: float = 5.0,
) -> bool:
    """Download ``url`` to ``target``; a broken download leaves a part beside it that the next call continues.

    Args:
        url: http or https.
        target: written whole or not at all.
        max_bytes: a longer body is refused.
        progress: called after every chunk.
        connect_seconds: time limit for reaching the host.
        silence_seconds: how long the server may say nothing, before and within the body.

    Returns:
        Whether an earlier part was continued; if so and the content is wrong, the part may be to blame.

    Raises:
        UnavailableError: the reason; nothing was written to ``target``.
        OSError: the file system refused.
    """
    knock(url, connect_seconds)
    kept = target.with_name(f".{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
    # Renaming the part to a private name claims it: two processes can never append to the same file.
    mine = unused_sibling(target, "part")
    try:
        kept.replace(mine)
    except FileNotFoundError:
        mine.touch()
    done = mine.stat().st_size
    try:
        try:
            _body(url, mine, done, max_bytes, progress, silence_seconds)
        except urllib.error.HTTPError as error:
            if error.code != 416 or not done:  # 416: the part is as long as the file, or longer
                raise
            error.close()
            mine.write_bytes(b"")
            done = 0
            _body(url, mine, 0, max_bytes, progress, silence_seconds)
        mine.replace(target)
    except urllib.error.HTTPError as error:
        error.close()
        raise UnavailableError(f"the server answered {error.code} {error.reason}") from None
    finally:
        if mine.exists():
            if mine.stat().st_size:
                mine.replace(kept)
            else:
                mine.unlink()
    return done > 0


@contextmanager
def _network(silence_seconds: float) -> Iterator[None]:
    """Tell the network's failures, which are this source's, from those of our own disk; both are OSErrors."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        raise UnavailableError(f"the connection failed ({error.reason})") from None
    except TimeoutError:
        raise UnavailableError(f"the server was silent for {silence_seconds:g} s") from None
    except (http.client.HTTPException, OSError) as error:
        raise UnavailableError(f"the connection broke ({type(error).__name__}: {error})") from None


def _body(url: str, part: Path, done: int, max_bytes: int, progress: Progress | None, seconds: float) -> None:
    headers = {"User-Agent": "research-data", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    request = urllib.request.Request(url, headers=headers)
    with _network(seconds):
        answer = urllib.request.urlopen(request, timeout=seconds)
    with answer:
        if answer.status != 206 or not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {done}-"):
            done = 0  # the server ignored the range and sends everything
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        if total is not None and total > max_bytes:
            raise UnavailableError(f"{total:,} bytes announced, more than the limit of {max_bytes:,}")
        with part.open("r+b") as file:
            file.truncate(done)
            file.seek(done)
            while True:
                with _network(seconds):
                    chunk = answer.read1(_CHUNK)
                if not chunk:
                    break
                done += len(chunk)
                if done > max_bytes:
                    file.truncate(0)
                    raise UnavailableError(f"more than the limit of {max_bytes:,} bytes")
                file.write(chunk)
                if progress:
                    progress(url, done, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and done < total:
            raise UnavailableError(
                f"the connection ended after {done:,} of {total:,} bytes; the next try continues there"
            )
