"""Processes that run tasks, one after another each, for a program that may not use a process pool.

The worker process of a Dask cluster is such a program: it may be a daemon, whose pools cannot start processes. A task
that is no longer wanted is killed, and all processes end with the program.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
from contextlib import suppress
from threading import Lock, Timer
from typing import IO, TYPE_CHECKING, Any

from .environment import worker_environment

if TYPE_CHECKING:
    from collections.abc import Callable

LISTEN_EVERY = 0.5  # seconds
IDLE_SECONDS = 10.0


class ProcessDiedError(RuntimeError):
    """The process of a task died, or was killed, before the task had ended."""


class TaskProcess:
    """Process that runs tasks with one thread, each sent as a pickle."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environment(1),
        )
        self._tasks: IO[bytes] = self._process.stdin  # type: ignore[assignment]  # it is a pipe
        self._results: IO[bytes] = self._process.stdout  # type: ignore[assignment]  # it is a pipe

    def run(self, task: Callable[[], Any], is_wanted: Callable[[], bool]) -> Any:  # noqa: ANN401 - of any task
        """Return the result of a task, or raise its exception.

        Args:
            task: picklable function without arguments.
            is_wanted: called every half second; the process is killed if it returns False.

        Raises:
            ProcessDiedError: the process died or was killed.

        """
        try:
            pickle.dump(task, self._tasks)
            self._tasks.flush()
            while not select.select([self._results], [], [], LISTEN_EVERY)[0]:
                if not is_wanted():
                    self._process.kill()
            result, fault = pickle.load(self._results)  # noqa: S301 - a pipe from our own process
        except (EOFError, OSError, pickle.UnpicklingError) as broken:
            self.end()
            message = f"the process of a task ended with code {self._process.returncode}"
            raise ProcessDiedError(message) from broken
        if fault is not None:
            raise fault
        return result

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill the process and wait for its end."""
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()  # closes the pipes


class TaskProcesses:
    """Task processes, each kept for the next task, and ended after a few seconds without any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[TaskProcess] = []
        self._timer = Timer(IDLE_SECONDS, self.end)

    def run(self, task: Callable[[], Any], is_wanted: Callable[[], bool]) -> Any:  # noqa: ANN401 - of any task
        """Run a task in a process that is idle, or else in a new one; see `TaskProcess.run`."""
        with self._lock:
            self._timer.cancel()
            process = self._idle.pop() if self._idle else TaskProcess()
        try:
            return process.run(task, is_wanted)
        finally:
            with self._lock:
                if process.is_running:
                    self._idle.append(process)
                self._timer.cancel()
                self._timer = Timer(IDLE_SECONDS, self.end)
                self._timer.daemon = True
                self._timer.start()

    def end(self) -> None:
        """End all processes without a task."""
        with self._lock:
            while self._idle:
                self._idle.pop().end()


def main() -> None:
    """Run tasks from standard input until it is closed, and write their results to standard output."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the results
    with suppress(EOFError):  # the parent has ended
        while True:
            task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
            results.write(_answer(task))
            results.flush()


def _answer(task: Callable[[], Any]) -> bytes:
    """Return the pickled result of a task, and None; if it fails, None and its exception."""
    try:
        return pickle.dumps((task(), None))
    except Exception as fault:  # noqa: BLE001 - raised again by the parent
        try:
            return pickle.dumps((None, fault))
        except Exception:  # noqa: BLE001 - an exception that cannot be pickled
            return pickle.dumps((None, RuntimeError(f"{type(fault).__name__}: {fault}")))


if __name__ == "__main__":
    main()
