"""Anonymous (unshared) memory of this process and its descendants. Linux only."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL = 0.1  # seconds between samples


@contextmanager
def monitor_memory() -> Iterator[list[float]]:
    """Sample the anonymous memory ten times per second in a thread.

    Yields:
        List of samples so far, in MiB; not empty after the block.

    """
    samples: list[float] = []
    done = threading.Event()

    def sample() -> None:
        while not done.wait(INTERVAL):
            samples.append(anonymous_mb())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()
        samples.append(anonymous_mb())


def anonymous_mb() -> float:
    """Return the current anonymous memory of this process and its descendants, in MiB.

    A process that ends meanwhile counts as 0.
    """
    return sum(_anonymous_kb(process) for process in _process_tree(os.getpid())) / 1024


def _process_tree(process: int) -> Iterator[int]:
    """Yield a process and its descendants, which may have been started by any of its threads."""
    yield process
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
    except FileNotFoundError:
        return
    for thread in threads:
        for child in _read(thread / "children").split():
            yield from _process_tree(int(child))


def _anonymous_kb(process: int) -> int:
    _, _, rest = _read(Path(f"/proc/{process}/status")).partition("RssAnon:")
    return int(rest.split()[0]) if rest else 0


def _read(path: Path) -> str:
    """Read a file in /proc; return an empty string if the process has ended."""
    try:
        return path.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""
