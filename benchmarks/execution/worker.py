"""Worker: a process that runs one job, given on its standard input.

The first line is the function to call, as `module:name`, the second its argument. Standard input then stays open; when
the parent ends, it is closed and the worker ends, too, with all processes of its group.

If the module has a function `in_child`, a process for it is made before the second line is read, so that it knows
nothing of the job but what the worker tells it; it is the second argument of the function.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from importlib import import_module

from .child import Child, end_with_parent
from .store import CANNOT_WRITE, RefusedWriteError


def main() -> None:
    """Run the job; if its results cannot be written, the exit code is `CANNOT_WRITE` and the message goes to stderr."""
    module_name, name = _first_line().split(":")
    module = import_module(module_name)
    function, in_child = getattr(module, name), getattr(module, "in_child", None)
    try:
        with ExitStack() as stack:
            child = [] if in_child is None else [stack.enter_context(Child(in_child))]
            message = sys.stdin.readline()
            end_with_parent()
            function(message, *child)
    except RefusedWriteError as fault:
        with suppress(OSError):  # the log may be on the same full disk
            print(fault, file=sys.stderr, flush=True)  # noqa: T201 - the parent reads it
        os._exit(CANNOT_WRITE)  # a normal exit could fail to flush the log and return another code


def _first_line() -> str:
    """Read the first line of standard input, and leave the second one unread."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line.decode().strip()


if __name__ == "__main__":
    main()
