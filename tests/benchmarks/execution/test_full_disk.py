"""Runs on a full disk: a message, exit code 2, no incomplete files, and the next call continues.

A limit on the file size replaces the full disk: the same system calls fail, and no privileges are needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from pathlib import Path

LIMITED = """
import resource, sys
from planktonbench.benchmarks.cli.app import main
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
sys.exit(main())
"""
PLENTY = 2**30


@dataclass(frozen=True)
class Place:
    """A data set with a results folder and a cache."""

    data: Path
    folder: Path

    @property
    def out(self) -> Path:
        """The results folder."""
        return self.folder / "out"

    @property
    def cache(self) -> Path:
        """The cache folder."""
        return self.folder / "cache"

    def run(self, *tracks: str, size: int = PLENTY) -> subprocess.CompletedProcess[str]:
        """Run tracks with a limit of `size` bytes per file."""
        options = {"--data": self.data, "--tracks": ",".join(tracks), "--seeds": 0, "--out": self.out}
        words = [str(word) for option in options.items() for word in option]
        return subprocess.run(
            [sys.executable, "-P", "-c", LIMITED, str(size), "run", "flowcam", *words],
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), "MPLCONFIGDIR": os.environ["XDG_CACHE_HOME"]},
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self) -> set[str]:
        """Return the tracks that are done; every run folder must have a card with this status."""
        cards = [read_card(folder) for folder in (self.out / "runs").glob("*/*/*/seed-*")]

        assert all(card is not None and card.status == "done" for card in cards)
        return {card.track.name for card in cards if card is not None}


@pytest.fixture(scope="module")
def first(shared_challenge: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The place that the first test fills, and all copy."""
    return Place(shared_challenge, tmp_path_factory.mktemp("full-disk") / "place")


@pytest.fixture
def place(first: Place, tmp_path: Path) -> Place:
    """A results folder with one finished and reported track."""
    if not first.out.exists():
        assert first.run("majority").returncode == 0
    copy = Place(first.data, tmp_path / "place")
    shutil.copytree(first.folder, copy.folder)
    return copy


def expect_refusal(place: Place, size: int, where: Path, advice: str) -> None:
    """Check that a call without space ends with a message, loses nothing, and is completed once there is space."""
    page = place.out / "report" / "index.html"
    before = page.read_bytes() if page.is_file() else b""
    done = place.done()
    refused = place.run("majority", "random", size=size)

    assert refused.returncode == 2
    assert f"{where} cannot be written: " in refused.stderr
    assert "File too large" in refused.stderr
    assert advice in refused.stderr
    assert "Traceback" not in refused.stderr
    assert place.done() >= done
    assert (page.read_bytes() if page.is_file() else b"") == before
    assert not [path for path in place.folder.rglob("*") if ".part" in path.name]
    assert place.run("majority", "random").returncode == 0
    assert place.done() == {"majority", "random"}
    assert page.read_bytes() != before


def test_no_room_for_the_first_file(place: Place) -> None:
    """The table of subsets cannot be written."""
    shutil.rmtree(place.out)
    expect_refusal(place, 512, place.out, "Free some space or choose another folder; finished runs are kept.")


def test_no_room_for_prepared_data(place: Place) -> None:
    """The cache is on another disk, which the message names."""
    shutil.rmtree(place.cache / "planktonbench" / "prepared")
    prepared = place.cache / "planktonbench" / "prepared"
    expect_refusal(place, 512, prepared, "Set XDG_CACHE_HOME to a folder with enough free space.")


def test_no_room_for_predictions(place: Place) -> None:
    """A worker can write neither predictions nor its log; the run is not recorded as failed."""
    expect_refusal(place, 512, place.out, "Free some space or choose another folder; finished runs are kept.")


def test_no_room_for_the_report(place: Place) -> None:
    """Predictions are stored, but the figures do not fit: the old report is kept."""
    expect_refusal(place, 16_384, place.out, "Free some space or choose another folder; finished runs are kept.")
    assert place.done() == {"majority", "random"}
