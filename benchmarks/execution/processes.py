"""Worker processes: one per job, a few at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import IO, TYPE_CHECKING

from .environment import PROGRESS_MARK, worker_environment
from .scheduler import Ending, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from ...data_manifests.images.store import ImageStore
    from ..console.progress import Progress
    from .scheduler import Schedulable

LOG_LINES = 40
LISTEN_EVERY = 0.5  # seconds
MOST_HEARD = 1 << 20  # bytes at once


class WorkerProcess:
    """Process that runs one job; it ends if this process ends, since its standard input is closed then.

    It leads a process group, so that whatever it has started ends with it, and Ctrl-C only reaches this process.

    Args:
        reference: function to call, as `module:name`.
        message: its argument, one line.
        threads: number of threads of every library.

    """

    def __init__(self, reference: str, message: str, threads: int) -> None:
        self._lines = f"{reference}\n{message}\n"
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by `follow`
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            text=True,
            env=worker_environment(threads),
            process_group=0,
        )

    def kill(self) -> None:
        """Kill the process, and those of its group: also after its end, if a track has left some behind."""
        with suppress(ProcessLookupError, PermissionError):  # all have ended; the latter on macOS
            os.killpg(self._process.pid, signal.SIGKILL)

    def follow(self, update: Callable[[str], None], is_wanted: Callable[[], bool] = lambda: True) -> Ending:
        """Send the job, and return how the process ended.

        Args:
            update: called with each progress line.
            is_wanted: called every half second; the process is killed if it returns False.

        """
        with self._log as log:
            try:
                self._send()
                self._listen(log, update, is_wanted)
            finally:
                self.kill()  # after its end, what is left of its group; after an exception here, all of it
                with suppress(BrokenPipeError):
                    self._process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
                code = self._process.wait()
            log.seek(0)
            lines = [line.rstrip("\n") for line in log]  # `splitlines` would split at the mark
        return Ending(code, [line for line in lines if not line.startswith(PROGRESS_MARK)][-LOG_LINES:])

    def _send(self) -> None:
        with suppress(BrokenPipeError):  # the worker has ended
            self._process.stdin.write(self._lines)  # type: ignore[union-attr]  # it is a pipe
            self._process.stdin.flush()  # type: ignore[union-attr]

    def _listen(self, log: IO[str], update: Callable[[str], None], is_wanted: Callable[[], bool]) -> None:
        seen, rest, ended = 0, b"", False
        while not ended:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LISTEN_EVERY)
                ended = True
            if not ended and not is_wanted():
                self.kill()
            more = os.pread(log.fileno(), MOST_HEARD, seen)  # does not move the worker's write position
            seen += len(more)
            *lines, rest = (rest + more).split(b"\n")
            for line in lines:
                if line.startswith(PROGRESS_MARK.encode()):
                    with suppress(OSError):  # nobody reads the progress; the run is not affected
                        update(line.decode(errors="replace").removeprefix(PROGRESS_MARK))


class Processes:
    """Back end of worker processes on this machine.

    Args:
        processes: number of processes at a time.
        threads: number of threads of each.
        progress: receives the starts of jobs and their progress lines.

    """

    def __init__(self, processes: int, threads: int, progress: Progress) -> None:
        self.threads = threads
        self.progress = progress
        self.description = f"{processes} × {threads} threads"
        self._pool = ThreadPoolExecutor(processes)
        self._lock = Lock()  # no process starts between the stop and its registration
        self._running: set[WorkerProcess] = set()
        self._stopped = False

    def task_runner(self, images: ImageStore) -> None:
        """Return None: `--jobs` processes of this machine run tasks."""

    def inspect(self, jobs: Sequence[Schedulable]) -> None:
        """Do nothing: the worker processes share everything."""

    def submit(self, run_one: Callable[..., None], job: Schedulable) -> Future[Ending]:
        """Run a job in a new process as soon as fewer than `processes` are running."""
        return self._pool.submit(self._run, reference_of(run_one), job.label, job.model_dump_json())

    def stop(self) -> None:
        """Kill the running processes and wait for their end."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()
        self._pool.shutdown(cancel_futures=True)

    def check(self) -> None:
        """Do nothing: a worker process that ends is noticed."""

    def _run(self, reference: str, label: str, message: str) -> Ending:
        with self._lock:
            if self._stopped:
                raise Stopped
            process = WorkerProcess(reference, message, self.threads)
            self._running.add(process)
        try:
            self.progress.job_started(label)
            return process.follow(partial(self.progress.update, label))
        finally:
            with self._lock:
                self._running.discard(process)


def reference_of(function: Callable[..., None]) -> str:
    """Return the reference by which a worker finds a function: `module:name`."""
    return f"{function.__module__}:{function.__qualname__}"
