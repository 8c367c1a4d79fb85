"""The command `check`: one line per rule, exit code 2 if a rule is broken, and the name of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.cli.app import WRONG_INPUT, main

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
import numpy as np
import planktonbench as pb

class Commonest(pb.Track):
    name = "commonest"
    inputs = {"native"}

    def fit(self, train, valid, *, rng):
        print("learning")
        self.code = np.bincount(train.y).argmax()

    def predict(self, objects):
        return np.eye(len(objects.classes))[np.full(len(objects), self.code)]
"""


@pytest.fixture
def method(tmp_path: Path) -> Path:
    """A file with a method that follows the rules and prints."""
    path = tmp_path / "commonest.py"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_method_that_follows_the_rules(method: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 and one line per rule; output of the method itself goes to stderr."""
    code = main(["check", f"{method}:Commonest"])
    out, err = capsys.readouterr()

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:-1]] == ["passed"] * 12
    assert "Commonest follows all 12 rules" in out.splitlines()[-1]
    assert "learning" not in out
    assert "learning" in err


def test_a_broken_method(method: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2; the rule, the reason below it, and the class and the broken rules in the last line."""
    method.write_text(GOOD.replace("return np.eye", "return 2 * np.eye"), encoding="utf-8")

    code = main(["check", f"{method}:Commonest"])
    out, err = capsys.readouterr()

    assert code == WRONG_INPUT
    failed = [place for place, line in enumerate(out.splitlines()) if line.startswith("failed")]
    assert len(failed) == 1
    assert "output" in out.splitlines()[failed[0]]
    assert "expected values from 0 to 1 that sum to one" in out.splitlines()[failed[0] + 1]
    assert err.splitlines()[-1].endswith("Commonest breaks 1 of 12 rules (output).")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def predict", "def forecast", "Commonest has no method predict"),
        (
            "valid, *, rng",
            "y",
            "Commonest: fit(self, train, y) does not match the protocol; expected fit(self, train, valid, *, rng)",
        ),
        ('"commonest"', '"The Commonest"', "expected lower-case words joined by hyphens"),
        ("import numpy", "import nonsense", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_broken_protocol(method: Path, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Violations of the protocol are reported before any rule is checked."""
    method.write_text(GOOD.replace(old, new), encoding="utf-8")

    code = main(["check", f"{method}:Commonest"])
    out, err = capsys.readouterr()

    assert code == WRONG_INPUT
    assert [line.split()[:2] for line in out.splitlines()] == [["failed", "protocol"]]
    assert message in err


def test_verbose_shows_where_it_failed(method: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--verbose prints the traceback of the method at any position of the option, and applies to one call only."""
    method.write_text(GOOD.replace("np.bincount(train.y)", "undefined(train.y)"), encoding="utf-8")
    for words in (["--verbose", "check"], ["check", "--verbose"], ["check"]):
        main([*words, f"{method}:Commonest"])
        out, err = capsys.readouterr()

        assert "it raised NameError: name 'undefined' is not defined (commonest.py:11)" in out
        assert ("Traceback" in err) == ("--verbose" in words)


def test_a_shipped_track_by_name_and_a_mistyped_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Names work as in `run`; a mistyped name lists near matches."""
    assert main(["check", "majority"]) == 0
    assert main(["check", "majorty"]) == WRONG_INPUT
    assert "Did you mean majority?" in capsys.readouterr().err
