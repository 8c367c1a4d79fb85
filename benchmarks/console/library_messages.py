"""Messages that libraries write while they are loaded, which are hidden from users."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from ...data_manifests.errors import PlanktonbenchError
from .output import is_verbose

if TYPE_CHECKING:
    from collections.abc import Iterator

STDERR = 2


@contextmanager
def library_messages_hidden() -> Iterator[None]:
    """Hide what is written to standard error by anything in this process, unless --verbose was given.

    TensorFlow's compiled code writes about devices and instruction sets when it starts, some of it before
    `TF_CPP_MIN_LOG_LEVEL` takes effect, and to the file descriptor instead of `sys.stderr`. An unexpected error is
    preceded by all that was hidden.
    """
    if is_verbose():
        yield
        return
    sys.stderr.flush()
    with TemporaryFile() as hidden, os.fdopen(os.dup(STDERR), "wb") as shown:
        os.dup2(hidden.fileno(), STDERR)
        try:
            yield
        except PlanktonbenchError:
            raise
        except BaseException:
            sys.stderr.flush()
            hidden.seek(0)
            shutil.copyfileobj(hidden, shown)
            raise
        finally:
            sys.stderr.flush()
            shown.flush()
            os.dup2(shown.fileno(), STDERR)
