"""Child of a worker: a process that shares its environment and log, and ends with it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PARENT_IS_GONE = 4
KILLED_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


def end_with_parent() -> None:
    """End this process as soon as its standard input is closed, which the parent's end does."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    sys.stdin.read()
    os._exit(PARENT_IS_GONE)


def _child_environment() -> dict[str, str]:
    """Return the environment variables of a child: those of this process, but not the folders of the data."""
    from ...data_manifests.dataset import DATA_VARIABLE  # here, for a quick start of workers without a child

    return {name: value for name, value in os.environ.items() if name != DATA_VARIABLE}


def end_as(code: int) -> NoReturn:
    """End this process with an exit code, or by a signal if it is negative."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(abs(code))


class Child(ABC):
    """Process that waits for a message and calls a function with it; at the end of the context, it is killed."""

    @classmethod
    def started(cls, function: Callable[[str], None]) -> Child:
        """Start a child: on Linux a fork, which need not import anything, elsewhere a new worker.

        Args:
            function: module-level function.

        """
        if platform.system() == "Linux":
            return ForkedChild(function)
        return NewChild(f"{function.__module__}:{function.__qualname__}")

    def __enter__(self) -> Self:
        """Return the child."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the child if it is running."""
        self.kill()

    def run(self, message: str) -> int:
        """Call the function with a message, one line; return the exit code of the child, negative for a signal."""
        with suppress(BrokenPipeError):  # it has ended
            self.input.write(f"{message}\n")
            self.input.flush()
        return self.wait()

    @property
    @abstractmethod
    def input(self) -> IO[str]:
        """Pipe to its standard input."""

    @abstractmethod
    def wait(self) -> int:
        """Wait for its end, and return its exit code, negative for a signal."""

    @abstractmethod
    def kill(self) -> None:
        """Kill it if it is running, and wait for its end."""


class ForkedChild(Child):
    """Child that is a copy of this process; it must be made before there are threads or secrets.

    Args:
        function: function that it calls with the message.

    """

    def __init__(self, function: Callable[[str], None]) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(writing)
            _be_child(function, reading, parent)
        os.close(reading)
        self._input = os.fdopen(writing, "w", encoding="utf-8")
        self._code: int | None = None

    @property
    def input(self) -> IO[str]:
        """Pipe to its standard input."""
        return self._input

    def wait(self) -> int:
        """Wait for its end, and return its exit code, negative for a signal."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """Kill it if it is running, and wait for its end."""
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            self.wait()
        with suppress(BrokenPipeError):
            self._input.close()


def _be_child(function: Callable[[str], None], reading: int, parent: int) -> NoReturn:
    """Call a function with the line from a pipe, which becomes standard input, and end this process.

    The kernel kills it when its parent ends, even while it is in a library that does not let other threads run.
    """
    code = 1
    try:
        ctypes.CDLL(None).prctl(KILLED_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(PARENT_IS_GONE)
        os.dup2(reading, 0)
        os.close(reading)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        kept = _child_environment()
        for name in os.environ.keys() - kept.keys():
            del os.environ[name]
        message = sys.stdin.readline()
        end_with_parent()
        function(message)
        code = 0
    except BaseException:  # noqa: BLE001 - it must not return into the code of the parent
        traceback.print_exc()
    end_as(code)


class NewChild(Child):
    """Child that is a new worker.

    Args:
        reference: function that it calls, as `module:name`.

    """

    def __init__(self, reference: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            text=True,
            env=_child_environment(),
        )
        self.input.write(f"{reference}\n")
        self.input.flush()

    @property
    def input(self) -> IO[str]:
        """Pipe to its standard input."""
        return self._process.stdin  # type: ignore[return-value]  # it is a pipe

    def wait(self) -> int:
        """Wait for its end, and return its exit code, negative for a signal."""
        return self._process.wait()

    def kill(self) -> None:
        """Kill it if it is running, and wait for its end."""
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()
