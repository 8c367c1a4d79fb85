"""Tests of compiled loops: warmed up before processes start, and usable without a writable cache."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import planktonbench
import pytest
from numba.core.dispatcher import Dispatcher
from planktonbench.features.measured import readiness
from planktonbench.features.measured.kernels.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

FOLDER = Path(planktonbench.__file__).parent / "features" / "measured"
PACKAGE = "planktonbench.features.measured"


def modules() -> list[ModuleType]:
    """Return all modules below `features/measured`."""
    paths = sorted(path for path in FOLDER.rglob("*.py") if path.stem != "__init__")
    names = [".".join(path.relative_to(FOLDER).with_suffix("").parts) for path in paths]
    return [import_module(f"{PACKAGE}.{name}") for name in names]


def own_loops(module: ModuleType) -> list[Dispatcher]:
    """Return the compiled loops that are defined in a module."""
    loops = [value for value in vars(module).values() if isinstance(value, Dispatcher)]
    return [loop for loop in loops if loop.py_func.__module__ == module.__name__]


@pytest.mark.parametrize("package", ["groups", "kernels", "objects"])
def test_modules_with_loops_are_found(package: str) -> None:
    """The check of each module includes the subpackages, and each of them has compiled loops."""
    found = [module for module in modules() if module.__name__.startswith(f"{PACKAGE}.{package}.")]

    assert any(own_loops(module) for module in found)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__.removeprefix(f"{PACKAGE}."))
def test_a_loop_calls_loops_of_its_own_module(module: ModuleType) -> None:
    """Numba would not notice a change of a loop in another file, and would use outdated code."""
    own = own_loops(module)
    called = [vars(module).get(name) for loop in own for name in loop.py_func.__code__.co_names]

    assert not [other for other in called if isinstance(other, Dispatcher) and other not in own]


class Clockless:
    """A timer that expires when a test says so, however fast the machine is."""

    made: ClassVar[list[Clockless]] = []

    def __init__(self, seconds: float, function: Callable[[str], None], args: list[str]) -> None:
        assert seconds == readiness.PATIENCE
        self.expire = partial(function, *args)
        self.waiting = False
        self.made.append(self)

    def start(self) -> None:
        """Wait."""
        self.waiting = True

    def cancel(self) -> None:
        """Stop waiting."""
        self.waiting = False


def test_slow_compilation_is_reported(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A long compilation is logged once; a short one is not, since its timer is cancelled."""

    def measure(*_: object, **__: object) -> None:
        timer = Clockless.made[-1]
        assert timer.waiting
        if slow:
            timer.expire()

    monkeypatch.setattr(readiness, "Timer", Clockless)
    monkeypatch.setattr(readiness, "measure_chunk", measure)
    with caplog.at_level(logging.WARNING, "planktonbench"):
        for slow in (False, True):
            readiness.make_ready.__wrapped__()
            assert not Clockless.made[-1].waiting
            assert caplog.messages == [readiness.COMPILING] * slow


def test_loops_run_without_a_writable_cache(tmp_path: Path) -> None:
    """Neither the folder next to the source nor the user's cache is writable: both paths are files, not folders."""
    (tmp_path / "loops.py").write_text(
        "from planktonbench.features.measured.kernels.compiled import compiled\n\n\n"
        "@compiled\ndef double(x: int) -> int:\n    return 2 * x\n\n\nprint(double(21), double.stats.cache_path)\n"
    )
    (tmp_path / "__pycache__").write_text("no folder")
    (tmp_path / "home").write_text("no folder")
    nowhere = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    command = [sys.executable, str(tmp_path / "loops.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment | nowhere)

    assert done.stdout.split() == ["42", "None"]


def test_division_follows_numpy() -> None:
    """Division by zero is not an error in a loop; it gives infinity or NaN."""

    @compiled
    def divide(one: float, other: float) -> float:
        return one / other

    assert divide(1.0, 0.0) == float("inf")
    assert divide(0.0, 0.0) != divide(0.0, 0.0)
