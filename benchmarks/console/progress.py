"""What a user sees while runs are done: a bar on a terminal, plain lines elsewhere; on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .output import write_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAIN_LINE_EVERY = 5.0  # seconds


class Progress:
    """Plain lines."""

    def __init__(self) -> None:
        self._total = self._ended = 0
        self._began: dict[str, float] = {}
        self._updated: dict[str, float] = {}

    def log(self, line: str) -> None:
        """Tell one fact."""
        write_message(line)

    @contextmanager
    def work(self, total: int) -> Iterator[None]:
        """Begin work on jobs that are still to do."""
        self._total, self._ended = total, 0
        yield

    def began(self, label: str) -> None:
        """Tell that a job has begun."""
        self._began[label] = time.monotonic()

    def update(self, label: str, line: str) -> None:
        """Pass on what a running job tells, not more often than every few seconds."""
        if time.monotonic() - self._updated.get(label, self._began[label]) > PLAIN_LINE_EVERY:
            self._updated[label] = time.monotonic()
            self.log(f"{label}: {line}")

    def ended(self, label: str, outcome: str) -> None:
        """Tell that a job has ended, and how."""
        self._ended += 1
        self._updated.pop(label, None)
        seconds = time.monotonic() - self._began.pop(label)
        self.log(f"[{self._ended}/{self._total}] {label}: {outcome} ({seconds:.1f} s)")


class BarProgress(Progress):
    """A bar over the jobs still to do, with those that run now, above it one line per ended job."""

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
        """Tell one fact above the bar."""
        self._console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def work(self, total: int) -> Iterator[None]:
        """Show the bar until the work ends."""
        self._total, self._ended = total, 0
        with self._bar:
            self._task = self._bar.add_task("", total=total)
            yield

    def began(self, label: str) -> None:
        """Name the job beside the bar."""
        super().began(label)
        self._describe()

    def update(self, label: str, line: str) -> None:
        """Show the last line that a job told beside its name."""
        self._lines[label] = line
        self._describe()

    def ended(self, label: str, outcome: str) -> None:
        """Move the bar on."""
        self._lines.pop(label, None)
        super().ended(label, outcome)
        self._bar.advance(self._task)
        self._describe()

    def _describe(self) -> None:
        running = [f"{label} ({self._lines[label]})" if label in self._lines else label for label in self._began]
        self._bar.update(self._task, description=", ".join(running) or "waiting")


def progress_for(stream: object) -> Progress:
    """Return a bar when the stream is a terminal, plain lines when not."""
    return BarProgress() if getattr(stream, "isatty", lambda: False)() else Progress()


@contextmanager
def counting(label: str, total: int | None, unit: str, stream: object = None) -> Iterator[Callable[[int], None]]:
    """Show how far a count has come: a bar on a terminal, a plain line every few seconds elsewhere.

    Args:
        label: what is done, such as `reading images`.
        total: the count at the end; None when it is not known.
        unit: what is counted, such as `objects`; `bytes` is shown in megabytes.
        stream: standard error when None.

    Yields:
        A function that takes how many more are done.

    """
    if getattr(stream or sys.stderr, "isatty", lambda: False)():
        yield from _bar(label, total, unit)
        return
    scale, name = (1e6, "MB") if unit == "bytes" else (1, unit)
    of = "" if total is None else f" of {total / scale:,.0f}"
    done, told = 0, time.monotonic()

    def advance(more: int) -> None:
        nonlocal done, told
        done += more
        if time.monotonic() - told > PLAIN_LINE_EVERY:
            told = time.monotonic()
            print(f"{label}: {done / scale:,.0f}{of} {name}", file=sys.stderr, flush=True)  # noqa: T201 - as above

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
