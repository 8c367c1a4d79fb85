"""Loops are compiled before processes start, and where nothing can be written they still run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import planktonbench
import pytest
from numba.core.dispatcher import Dispatcher
from planktonbench.features.measured import readiness
from planktonbench.features.measured.kernels.compiled import compiled

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(planktonbench.__file__).parent / "features" / "measured"


def modules() -> list[ModuleType]:
    """Return the modules that measure."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    return [import_module(f"planktonbench.features.measured.{name}") for name in names]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_loop_calls_loops_of_its_own_module(module: ModuleType) -> None:
    """Numba would not see that a loop in another file has changed, and go on with the old one."""
    loops = [value for value in vars(module).values() if isinstance(value, Dispatcher)]
    own = [loop for loop in loops if loop.py_func.__module__ == module.__name__]
    called = [vars(module).get(name) for loop in own for name in loop.py_func.__code__.co_names]

    assert not [other for other in called if isinstance(other, Dispatcher) and other not in own]


def test_slow_compilation_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Who waits is told why, once; what takes no time is not mentioned."""
    with caplog.at_level(logging.WARNING, "planktonbench"):
        readiness.make_ready.__wrapped__()
        assert not caplog.messages

        monkeypatch.setattr(readiness, "Timer", _Impatient)
        readiness.make_ready.__wrapped__()

    assert caplog.messages == [readiness.COMPILING]


class _Impatient:
    """A timer whose time is up at once."""

    def __init__(self, _: float, tell: object, given: list[str]) -> None:
        self._tell, self._given = tell, given

    def start(self) -> None:
        """Run out."""
        assert callable(self._tell)
        self._tell(*self._given)

    def cancel(self) -> None:
        """Come too late."""


def test_where_nothing_can_be_kept_a_loop_still_runs(tmp_path: Path) -> None:
    """Neither beside the source nor in the user's cache: both places are files, not folders."""
    (tmp_path / "loops.py").write_text(
        "from planktonbench.features.measured.kernels.compiled import compiled\n\n\n"
        "@compiled\ndef double(x: int) -> int:\n    return 2 * x\n\n\nprint(double(21), double.stats.cache_path)\n"
    )
    (tmp_path / "__pycache__").write_text("no folder")
    (tmp_path / "home").write_text("no folder")
    nowhere = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    command = [sys.executable, str(tmp_path / "loops.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=kept | nowhere)

    assert done.stdout.split() == ["42", "None"]


def test_division_is_numpys() -> None:
    """Zero by zero is no error in a loop, and what is undefined becomes NaN."""

    @compiled
    def divide(one: float, other: float) -> float:
        return one / other

    assert divide(1.0, 0.0) == float("inf")
    assert divide(0.0, 0.0) != divide(0.0, 0.0)
