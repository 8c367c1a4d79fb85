"""Runs without data: a simulated sample is made, cached, and marked as simulated in all results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.data_manifests.simulation import sample
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A sample that is simulated within a second, in a separate cache."""
    monkeypatch.setattr(sample, "SAMPLE_OBJECTS", 480)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("small")
def test_all_results_are_marked_as_simulated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Log, scores, card, signature and report."""
    out = tmp_path / "out"
    table = pb.run("flowcam", tracks=["majority"], seeds=[0], out=out)
    card = read_card(out / "runs" / "flowcam" / "majority" / "holdout.v1" / "seed-0")
    page = (out / "report" / "index.html").read_text("utf-8")

    assert card is not None
    assert card.data.simulated
    assert card.data.citation.startswith("Simulated")
    assert table["simulated"].tolist() == [True]
    assert table["signature"][0].startswith("macroF1|data:flowcam(simulated)@")
    assert pd.read_csv(out / "scores.csv")["simulated"].all()
    assert "using a SIMULATED sample" in capfd.readouterr().err
    assert "Simulated data: " in page
    assert "drawings made by a program" in page
    assert "flowcam (simulated) · holdout.v1" in page


@pytest.mark.usefixtures("small", "scores_only")
def test_the_sample_is_simulated_once(tmp_path: Path) -> None:
    """The second call reads the sample from the cache and gives the same scores."""
    first = pb.run("flowcam", tracks=["majority"], seeds=[0], out=tmp_path / "out")
    (folder,) = [path for path in (tmp_path / "cache" / "planktonbench" / "simulated").iterdir() if path.is_dir()]
    before = (folder / "imgs.zip").stat().st_mtime_ns
    again = pb.run("flowcam", tracks=["majority"], seeds=[0], out=tmp_path / "out")

    assert (folder / "imgs.zip").stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.usefixtures("small", "scores_only")
def test_real_files_take_precedence(challenge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is simulated if data are found."""
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path / "sea"))
    (tmp_path / "sea").mkdir()
    challenge.rename(tmp_path / "sea" / "flowcam")
    table = pb.run("flowcam", tracks=["majority"], seeds=[0], out=tmp_path / "out")

    assert table["simulated"].tolist() == [False]
    assert not (tmp_path / "cache" / "planktonbench" / "simulated").exists()


def test_load_does_not_simulate_data() -> None:
    """If there are no files, `load` raises an error and never returns simulated data."""
    with pytest.raises(pb.DataError, match="There are no files of 'flowcam'"):
        pb.load("flowcam")
