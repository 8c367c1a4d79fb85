"""Worker: a process that runs one job, given on its standard input.

The first line is the function to call, as `module:name`, the second its argument. Standard input then stays open; when
the parent ends, it is closed and the worker ends, too.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from importlib import import_module

from .store import CANNOT_WRITE, RefusedWriteError

PARENT_IS_GONE = 4


def main() -> None:
    """Run the job; if its results cannot be written, the exit code is `CANNOT_WRITE` and the message goes to stderr."""
    module, name = sys.stdin.readline().strip().split(":")
    message = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        getattr(import_module(module), name)(message)
    except RefusedWriteError as fault:
        with suppress(OSError):  # the log may be on the same full disk
            print(fault, file=sys.stderr, flush=True)  # noqa: T201 - the parent reads it
        os._exit(CANNOT_WRITE)  # a normal exit could fail to flush the log and return another code


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(PARENT_IS_GONE)


if __name__ == "__main__":
    main()
