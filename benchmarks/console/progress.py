"""Progress of runs on standard error: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from .output import write_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAIN_LINE_EVERY = 5.0  # seconds


class Progress:
    """Progress as plain lines; its methods can be called by several threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._total = self._finished = 0
        self._started: dict[str, float] = {}
        self._updated: dict[str, float] = {}

    def log(self, line: str) -> None:
        """Write one line."""
        write_message(line)

    @contextmanager
    def work(self, total: int) -> Iterator[None]:
        """Start work on a number of pending jobs."""
        self._total, self._finished = total, 0
        yield

    def job_started(self, label: str) -> None:
        """Record that a job has started."""
        with self._lock:
            self._started[label] = time.monotonic()

    def update(self, label: str, line: str) -> None:
        """Write a progress line of a running job, at most every few seconds."""
        with self._lock:
            if time.monotonic() - self._updated.get(label, self._started.get(label, 0.0)) > PLAIN_LINE_EVERY:
                self._updated[label] = time.monotonic()
                self.log(f"{label}: {line}")

    def job_finished(self, label: str, outcome: str) -> None:
        """Report the outcome of a finished job."""
        with self._lock:
            self._finished += 1
            self._updated.pop(label, None)
            seconds = time.monotonic() - self._started.pop(label, time.monotonic())
            self.log(f"[{self._finished}/{self._total}] {label}: {outcome} ({seconds:.1f} s)")


class BarProgress(Progress):
    """Progress as a bar over the pending jobs that names the running ones, with one line per finished job above."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, str] = {}
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True, highlight=False)
        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        ]
        self._bar = Bar(*columns, console=self._console, transient=True)

    def log(self, line: str) -> None:
        """Write one line above the bar."""
        self._console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def work(self, total: int) -> Iterator[None]:
        """Show the bar until the work ends."""
        self._total, self._finished = total, 0
        with self._bar:
            self._task = self._bar.add_task("", total=total)
            yield

    def job_started(self, label: str) -> None:
        """Show the name of the job next to the bar."""
        with self._lock:
            super().job_started(label)
            self._describe()

    def update(self, label: str, line: str) -> None:
        """Show the latest line of a job after its name."""
        with self._lock:
            self._lines[label] = line
            self._describe()

    def job_finished(self, label: str, outcome: str) -> None:
        """Advance the bar."""
        with self._lock:
            self._lines.pop(label, None)
            super().job_finished(label, outcome)
            self._bar.advance(self._task)
            self._describe()

    def _describe(self) -> None:
        running = [f"{label} ({self._lines[label]})" if label in self._lines else label for label in self._started]
        self._bar.update(self._task, description=", ".join(running) or "waiting")


def progress_for(stream: object) -> Progress:
    """Return a progress bar if the stream is a terminal, else plain lines."""
    return BarProgress() if getattr(stream, "isatty", lambda: False)() else Progress()


@contextmanager
def counting(label: str, total: int | None, unit: str, stream: object = None) -> Iterator[Callable[[int], None]]:
    """Show the progress of a count: a bar on a terminal, a plain line every few seconds otherwise.

    Args:
        label: description of the work, such as `reading images`.
        total: final count; None if unknown.
        unit: unit of the count, such as `objects`; `bytes` is shown in megabytes.
        stream: the output stream; None means standard error.

    Yields:
        A function that takes the number of newly finished units.

    """
    if getattr(stream or sys.stderr, "isatty", lambda: False)():
        yield from _bar(label, total, unit)
        return
    scale, name = (1e6, "MB") if unit == "bytes" else (1, unit)
    of = "" if total is None else f" of {total / scale:,.0f}"
    done, updated = 0, time.monotonic()

    def advance(more: int) -> None:
        nonlocal done, updated
        done += more
        if time.monotonic() - updated > PLAIN_LINE_EVERY:
            updated = time.monotonic()
            print(f"{label}: {done / scale:,.0f}{of} {name}", file=sys.stderr, flush=True)  # noqa: T201 - progress, not a result

    yield advance


def _bar(label: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    count = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    text = TextColumn("{task.description}", markup=False)
    with Bar(text, BarColumn(), count, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda more: bar.advance(task, more)
