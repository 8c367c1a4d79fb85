"""The command `data audit` in its own process: output, files and exit codes."""

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
    """Run the command in its own process, without a terminal."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "audit", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def spoil(folder: Path, changes: dict[str, bytes]) -> None:
    """Change members of a challenge's imgs.zip."""
    with zipfile.ZipFile(folder / "imgs.zip") as source:
        members = {name: source.read(name) for name in source.namelist()} | changes
    with zipfile.ZipFile(folder / "imgs.zip", "w") as target:
        for name, content in members.items():
            target.writestr(name, content)


def test_findings_are_printed_in_groups(challenge: Path, tmp_path: Path) -> None:
    """Faulty images are listed under Images, small classes under Labels; the exit code is 0."""
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


def test_stdout_contains_json_only(challenge: Path, tmp_path: Path) -> None:
    """One document, identical to the file in the folder given by --out."""
    done = call(challenge, "--json", "--out", tmp_path / "here", cwd=tmp_path)
    printed = json.loads(done.stdout)

    assert done.returncode == 0
    assert printed == json.loads((tmp_path / "here" / "findings.json").read_text("utf-8"))
    assert {"data_set", "simulated", "objects", "taxa", "images", "split", "notes", "findings"} == set(printed)
    assert {"group", "code", "text", "advice", "count", "examples"} == set(printed["findings"][0])


def test_missing_images_are_not_reported_as_fine(challenge: Path, tmp_path: Path) -> None:
    """Without images, the group Images is reported as not available."""
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
def test_invalid_input_gives_one_plain_message(challenge: Path, tmp_path: Path, words: str, message: str) -> None:
    """Exit code 2, nothing on stdout, no traceback, no files written."""
    done = call(*words.format(data=challenge).split(), cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "results").exists()


def test_broken_tables_are_an_error(challenge: Path, tmp_path: Path) -> None:
    """Unreadable labels cannot be audited; the message is that of `data check`."""
    (challenge / "meta.csv").write_text("objid,taxon\n1,egg\n1,detritus\n", "utf-8")
    done = call(challenge, cwd=tmp_path)

    assert done.returncode == 2
    assert "one id has two different rows: 1" in done.stderr


def test_simulated_data_are_marked(challenge: Path, tmp_path: Path) -> None:
    """In the first line and in the JSON document."""
    (challenge / "simulation.json").write_text("{}", "utf-8")

    assert call(challenge, cwd=tmp_path).stdout.startswith("data (simulated): 107 objects")
    assert json.loads(call(challenge, "--json", cwd=tmp_path).stdout)["simulated"] is True
