"""Runs that are killed in every phase: nothing is lost or incomplete, and a later call completes them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from pathlib import Path

PHASES = {
    "data are being prepared": "cache/planktonbench/**/*",
    "the first run has begun": "out/.locks/*.lock",
    "the first run is stored": "out/runs/*/*/*/seed-*/card.json",
    "the report has begun": "out/*report*.part*/tables/*",
    "figures are being drawn": "out/*report*.part*/figures/*.png",
}
"""Phases of a run, with the files in the folder of a `Place` that show that they have begun."""

DELAY = 0.2  # seconds; longest wait between the beginning of a phase and the kill
TRACKS = ["xgb-source001", "logistic-native", "random"]
PATIENCE = 120  # seconds; a call that takes longer hangs


@dataclass(frozen=True)
class Place:
    """A results folder with a separate cache, so that kills also hit data preparation; Matplotlib's cache is shared."""

    data: Path
    folder: Path

    @property
    def out(self) -> Path:
        """The results folder."""
        return self.folder / "out"

    def call(self) -> subprocess.Popen[bytes]:
        """Start the run in a new process group."""
        self.folder.mkdir(exist_ok=True)
        options = {"--data": self.data, "--tracks": ",".join(TRACKS), "--seeds": 0, "--out": self.out, "--jobs": 2}
        words = [str(word) for option in options.items() for word in option]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "planktonbench", "run", "flowcam", *words],
            env={
                **os.environ,
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "MPLCONFIGDIR": os.environ["XDG_CACHE_HOME"],
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def predictions(self) -> dict[str, bytes]:
        """Return the predictions of all run folders."""
        found = sorted((self.out / "runs").glob("*/*/*/seed-*/*.parquet"))
        return {str(path.relative_to(self.out)): path.read_bytes() for path in found}

    def paths(self) -> set[str]:
        """Return all paths in the results folder, including the report."""
        return {str(path.relative_to(self.out)) for path in self.out.rglob("*")}

    def scores(self) -> pd.DataFrame:
        """Return scores.csv without measured times."""
        table = pd.read_csv(self.out / "scores.csv")
        return table.drop(columns=[name for name in table if name.endswith("_seconds")])


def expect_nothing_half(place: Place, whole: dict[str, bytes]) -> None:
    """Check that each run folder has a card with status done and all tables of an undisturbed run."""
    for folder in (place.out / "runs").glob("*/*/*/seed-*"):
        card = read_card(folder)
        names = {str(path.relative_to(place.out)) for path in folder.glob("*.parquet")}

        assert card is not None
        assert card.status == "done"
        assert names == {name for name in whole if name.startswith(f"{folder.relative_to(place.out)}/")}
    assert place.predictions().items() <= whole.items()


def expect_complete(place: Place, undisturbed: Place) -> None:
    """Check that the results are those of an undisturbed run, without additional files."""
    assert place.predictions() == undisturbed.predictions()
    pd.testing.assert_frame_equal(undisturbed.scores(), place.scores())
    assert place.paths() == undisturbed.paths()
    assert not [path for path in place.folder.rglob("*") if ".part" in path.name]


def ends_within(call: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a call ends by itself within some seconds; its exit code must be 0."""
    try:
        code = call.wait(seconds)
    except subprocess.TimeoutExpired:
        return False

    assert code == 0
    return True


def call_until(place: Place, files: str) -> subprocess.Popen[bytes]:
    """Start the run and wait until it has made some files; it must not end before."""
    before = set(place.folder.glob(files))
    call, end = place.call(), time.monotonic() + PATIENCE
    while not set(place.folder.glob(files)) - before:
        assert call.poll() is None, f"the call ended before there was {files}"
        assert time.monotonic() < end, f"there is no {files}"
        time.sleep(0.01)
    return call


@pytest.mark.long
def test_a_killed_run_is_completed(challenge: Path, tmp_path: Path) -> None:
    """After kills in each phase, of all processes or only of the parent, later calls resume and give the same results.

    Each call resumes what the one before left, and is killed in a later phase, at a random moment after its beginning.
    """
    undisturbed, place = Place(challenge, tmp_path / "undisturbed"), Place(challenge, tmp_path / "killed")

    assert ends_within(undisturbed.call(), PATIENCE)
    whole = undisturbed.predictions()
    rng = np.random.default_rng(2026)
    for kill, files in enumerate(PHASES.values()):
        call = call_until(place, files)
        time.sleep(rng.uniform(0, DELAY))
        if kill % 2:
            call.kill()
        else:
            os.killpg(call.pid, signal.SIGKILL)

        assert call.wait() == -signal.SIGKILL
        expect_nothing_half(place, whole)

    assert ends_within(place.call(), PATIENCE)
    expect_complete(place, undisturbed)
    assert whole.keys() > {f"runs/flowcam/{track}/holdout.v1/seed-0/predictions.parquet" for track in TRACKS}
