"""Child of a worker: a process that shares its environment and log, and ends with it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import threading
import traceback
from contextlib import suppress
from io import TextIOWrapper
from multiprocessing import get_context
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext
    from types import TracebackType

PARENT_IS_GONE = 4
PR_SET_PDEATHSIG = 1
"""Option of `prctl` of Linux: the signal that the kernel sends to a process when its parent ends."""


def end_with_parent(reading: int = 0) -> None:
    """End this process once a pipe is closed, as it is when the parent ends, and those of the group that it leads.

    Args:
        reading: file descriptor of the pipe, from which nothing else reads any more; by default standard input.

    """
    threading.Thread(target=_wait_for_end, args=(reading,), daemon=True).start()


def _wait_for_end(reading: int) -> None:
    """Wait without the lock of a file object, which a process that is forked meanwhile could never get."""
    while os.read(reading, 4096):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(PARENT_IS_GONE)


def end_as(code: int) -> NoReturn:
    """End this process with an exit code, or by a signal if it is negative."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(abs(code))


class Child:
    """Process that waits for a message and calls a function with it; at the end of the context, it is killed.

    On Linux it is a fork, which need not import anything, elsewhere a new process. It must be made before this process
    has threads of its own or secrets.

    Args:
        function: module-level function.

    """

    def __init__(self, function: Callable[[str], None]) -> None:
        forks = platform.system() == "Linux"
        context: ForkContext | SpawnContext = get_context("fork") if forks else get_context("spawn")
        reading, self._writing = context.Pipe(duplex=False)
        inherited = self._writing if forks else None
        self._process = context.Process(target=_be_child, args=(function, reading, inherited, os.getpid()))
        self._process.start()
        reading.close()

    def __enter__(self) -> Self:
        """Return the child."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the child if it is running, and wait for its end."""
        self._process.kill()
        self._process.join()
        self._writing.close()

    def run(self, message: str) -> int:
        """Call the function with a message; return the exit code of the child, negative for a signal."""
        with suppress(BrokenPipeError):  # it has ended
            self._writing.send_bytes(message.encode())
        self._process.join()
        return self._process.exitcode  # type: ignore[return-value]  # it has ended


def _be_child(
    function: Callable[[str], None], reading: Connection, inherited: Connection | None, parent: int
) -> NoReturn:
    """Call a function with the message from a pipe, and end this process.

    Args:
        function: the function.
        reading: end of the pipe from which the message is read.
        inherited: the other end if this process is a fork, to be closed.
        parent: process id of the parent.

    """
    code = 1
    try:
        _prepare(inherited, parent)
        message = reading.recv_bytes().decode()
        end_with_parent(reading.fileno())
        function(message)
        code = 0
    except BaseException:  # noqa: BLE001 - it must not return into the code of the parent
        traceback.print_exc()
    end_as(code)


def _prepare(inherited: Connection | None, parent: int) -> None:
    """Part this process from its parent: it has neither the input of the latter nor the folders of the data.

    The kernel of Linux kills it when its parent ends, even while it is in a library that does not let other threads
    run. It writes each line at once, so that a killed process loses none.
    """
    from ...data_manifests.dataset import DATA_VARIABLE  # here, for a quick start of workers without a child

    if inherited is not None:
        inherited.close()
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(PARENT_IS_GONE)
    os.dup2(sys.stdin.fileno(), 0)  # multiprocessing has replaced the object, but not the file descriptor
    os.environ.pop(DATA_VARIABLE, None)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
