"""The command `data simulate` in its own process: files, output and error messages."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = 480


def simulate(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `planktonbench data simulate` in its own process, without a terminal."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "simulate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_help_shows_an_example_and_the_defaults(tmp_path: Path) -> None:
    """The help contains an example and the defaults of all options."""
    done = simulate("--help", cwd=tmp_path)

    assert "planktonbench data simulate flowcam --out DIR" in done.stdout
    for default in ("[default: 4000]", "[default: 0]", "[default: (all cores)]"):
        assert default in done.stdout


def test_a_data_set_is_made_and_the_next_step_is_printed(tmp_path: Path) -> None:
    """Stdout contains the folder, the number of objects, and the command to run next."""
    done = simulate("flowcam", "--out", "set", "--objects", OBJECTS, "--seed", 5, "--jobs", 1, cwd=tmp_path)
    marker = json.loads((tmp_path / "set" / "simulation.json").read_text("utf-8"))

    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'set'}: {OBJECTS} simulated objects" in done.stdout
    assert f"Next: planktonbench run flowcam --data {tmp_path / 'set'}" in done.stdout
    assert (marker["objects"], marker["seed"], marker["simulated"]) == (OBJECTS, 5, True)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_the_data_set_passes_the_check(tmp_path: Path) -> None:
    """`data check` finds all taxa and an image for each object."""
    simulate("flowcam", "--out", "set", "--objects", OBJECTS, cwd=tmp_path)
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "check", "set"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f"39 taxa, 16 samples, 52 native features, {OBJECTS} images" in done.stdout + done.stderr


def test_leftovers_of_a_killed_call_are_removed(tmp_path: Path) -> None:
    """The next call makes the data set and removes the incomplete folder."""
    (tmp_path / ".set.part").mkdir()
    (tmp_path / ".set.part" / "imgs.zip").write_text("half")
    done = simulate("flowcam", "--out", "set", "--objects", OBJECTS, "--jobs", 1, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("flowcan --out set", "There is no simulator for 'flowcan'. Did you mean flowcam?"),
        ("zooscannet --out set", "There is no simulator for 'zooscannet'. Known: flowcam."),
        ("flowcam --out set --objects 100", "too few for 39 taxa of at least 12 each; request 473 objects or more"),
        ("flowcam --out set --jobs -1", "jobs is -1"),
        ("flowcam --out set --seed -1", "seed is -1"),
        ("flowcam --out set --objects many", "Invalid value for '--objects'"),
        ("flowcam --out .", "contains files that are not part of a simulation: notes.txt"),
        ("flowcam --out notes.txt", "contains files that are not part of a simulation: notes.txt"),
        ("flowcam --out notes.txt/set", "cannot be written"),
        ("flowcam", "Missing option '--out'"),
    ],
)
def test_invalid_input_gives_a_plain_message_and_writes_nothing(tmp_path: Path, words: str, message: str) -> None:
    """Exit code 2, the message on stderr only, no traceback; existing files are unchanged."""
    (tmp_path / "notes.txt").write_text("years of work")
    done = simulate(*words.split(), cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "years of work"
