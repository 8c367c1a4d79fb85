"""The command `data audit`, in its own process: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def call(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, away from a terminal."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "audit", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def spoil(folder: Path, changes: dict[str, bytes]) -> None:
    """Change members of a challenge's imgs.zip."""
    with zipfile.ZipFile(folder / "imgs.zip") as source:
        members = {name: source.read(name) for name in source.namelist()} | changes
    with zipfile.ZipFile(folder / "imgs.zip", "w") as target:
        for name, content in members.items():
            target.writestr(name, content)


def test_what_is_wrong_is_printed_in_groups(challenge: Path, tmp_path: Path) -> None:
    """Bad images by name under Images, small classes under Labels, samples under Split; exit code 0."""
    spoil(challenge, {"imgs/1000.png": b"", "imgs/1001.png": b"not a png"})
    done = call(challenge, "--jobs", 2, cwd=tmp_path)
    images, _, rest = done.stdout.partition("\nLabels\n")
    labels, _, rest = rest.partition("\nSplit\n")
    split, _, features = rest.partition("\nFeatures\n")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("data: 107 objects, 5 taxa, 107 images\n")
    assert "audited split: holdout.v1 with seed 0, as made by 'planktonbench run'" in images
    assert "empty files: 1. " in images
    assert "these: imgs/1000.png\n" in images
    assert "these: imgs/1001.png\n" in images
    assert "these: Bacteriastrum 2\n" in labels
    assert "nothing found" in split
    assert "these: constant\n" in features
    assert (tmp_path / "results" / "audit" / "data" / "findings.json").is_file()


def test_json_stands_alone_on_stdout(challenge: Path, tmp_path: Path) -> None:
    """One document, the same as the file; --out says where."""
    done = call(challenge, "--json", "--out", tmp_path / "here", cwd=tmp_path)
    printed = json.loads(done.stdout)

    assert done.returncode == 0
    assert printed == json.loads((tmp_path / "here" / "findings.json").read_text("utf-8"))
    assert {"data_set", "simulated", "objects", "taxa", "images", "split", "notes", "findings"} == set(printed)
    assert {"group", "code", "text", "advice", "count", "examples"} == set(printed["findings"][0])


def test_what_is_not_there_is_not_called_fine(challenge: Path, tmp_path: Path) -> None:
    """Tables without images: nothing was found among no images, and the command says so."""
    (challenge / "imgs.zip").unlink()
    done = call(challenge, cwd=tmp_path)

    assert "107 objects, 5 taxa, no images" in done.stdout
    assert "\nImages\n  not available\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nothing", "nothing"),
        ("{data}/meta.csv", "meta.csv"),
        ("{data} --jobs -1", "--jobs"),
        ("{data} --dataset flowcm", "Did you mean flowcam"),
    ],
)
def test_a_wrong_line_is_answered_in_one_plain_message(
    challenge: Path, tmp_path: Path, words: str, message: str
) -> None:
    """Exit code 2, nothing on stdout, no traceback, nothing written."""
    done = call(*words.format(data=challenge).split(), cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "results").exists()


def test_broken_tables_are_an_error(challenge: Path, tmp_path: Path) -> None:
    """Labels that cannot be read cannot be audited; `data check` tells the same."""
    (challenge / "meta.csv").write_text("objid,taxon\n1,egg\n1,detritus\n", "utf-8")
    done = call(challenge, cwd=tmp_path)

    assert done.returncode == 2
    assert "one id has two different rows: 1" in done.stderr


def test_a_simulation_is_called_one(challenge: Path, tmp_path: Path) -> None:
    """In the first line and in the JSON."""
    (challenge / "simulation.json").write_text("{}", "utf-8")

    assert call(challenge, cwd=tmp_path).stdout.startswith("data (simulated): 107 objects")
    assert json.loads(call(challenge, "--json", cwd=tmp_path).stdout)["simulated"] is True
