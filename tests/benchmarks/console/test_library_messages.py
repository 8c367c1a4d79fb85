"""Hidden messages of libraries."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.console.library_messages import library_messages_hidden
from planktonbench.benchmarks.console.output import be_verbose
from planktonbench.data_manifests.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """Without --verbose, also after a test that sets it."""
    be_verbose(wanted=False)
    yield
    be_verbose(wanted=False)


def call(fault: BaseException | None = None) -> None:
    """Write as compiled code does, and fail."""
    with library_messages_hidden():
        os.write(2, b"could not find cuda drivers\n")
        if fault is not None:
            raise fault


def test_messages_are_hidden_and_later_ones_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """The file descriptor is that of before."""
    call()
    os.write(2, b"embedding\n")

    assert capfd.readouterr().err == "embedding\n"


@pytest.mark.parametrize(("fault", "shown"), [(DataError("no weights"), False), (RuntimeError("broken"), True)])
def test_only_an_unexpected_error_shows_them(fault: Exception, shown: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """They may be the only reason that there is; a wrong input has one of its own."""
    with pytest.raises(type(fault)):
        call(fault)

    assert ("could not find cuda drivers\n" in capfd.readouterr().err) == shown


def test_verbose_shows_them(capfd: pytest.CaptureFixture[str]) -> None:
    """As they are written."""
    be_verbose(wanted=True)
    call()

    assert "could not find cuda drivers\n" in capfd.readouterr().err
