"""Anonymous memory of this process and of those it has started: what they hold that is not shared; on Linux only."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = 0.1  # seconds between looks


@contextmanager
def memory_watched() -> Iterator[list[float]]:
    """Look at the anonymous memory ten times a second, from a thread.

    Yields:
        What was seen so far, in MiB; not empty when the block is left.

    """
    seen: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            seen.append(anonymous_mb())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
        seen.append(anonymous_mb())


def anonymous_mb() -> float:
    """Return the anonymous memory that this process and its descendants hold now, in MiB.

    A process that ends while it is looked at holds nothing.
    """
    return sum(_anonymous_kb(process) for process in _family(os.getpid())) / 1024


def _family(process: int) -> Iterator[int]:
    """Yield a process and its descendants, which each of its threads may have started."""
    yield process
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
    except FileNotFoundError:
        return
    for thread in threads:
        for child in _read(thread / "children").split():
            yield from _family(int(child))


def _anonymous_kb(process: int) -> int:
    _, _, rest = _read(Path(f"/proc/{process}/status")).partition("RssAnon:")
    return int(rest.split()[0]) if rest else 0


def _read(path: Path) -> str:
    """Read a file of the process table; empty when the process has ended."""
    try:
        return path.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""
