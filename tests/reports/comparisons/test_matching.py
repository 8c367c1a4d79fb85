"""Files and folders of runs: what is matched, what is left out, and what is refused."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench import DataError, PlanktonbenchError, SubmissionError, SuiteError
from planktonbench.reports.comparisons.matching import Matched, match_runs
from planktonbench.reports.comparisons.paired_evaluation import Resampling
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.comparisons.comparison import Comparison

HOW = Resampling(draws=100)
RUN = "runs/lake/{track}/holdout.v1/seed-{seed}"


@pytest.fixture
def out(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Two seeds of a good and a bad track on one data set, one of the bad one on another."""
    for seed in (0, 1):
        add_run(tmp_path / "out", "good", wrong=1, seed=seed)
        add_run(tmp_path / "out", "bad", wrong=9, seed=seed)
    add_run(tmp_path / "out", "bad", dataset="bay")
    return tmp_path / "out"


def compared(matched: Matched) -> list[Comparison]:
    """Hold all contests."""
    return [evaluation.compare(0, 1) for evaluation in matched.evaluations]


def place(out: Path, track: str, seed: int = 0) -> Path:
    """Return the folder of a run."""
    return out / RUN.format(track=track, seed=seed)


def test_two_runs_need_no_truth(out: Path) -> None:
    """The scores are the evaluator's; the truth lies beside the runs."""
    (found,) = compared(match_runs(place(out, "good"), place(out, "bad"), resampling=HOW))
    scores = {run.folder: run.score for run in read_runs(out)}
    good, bad = scores[place(out, "good")], scores[place(out, "bad")]

    assert good is not None
    assert bad is not None
    assert found.delta == pytest.approx(good.macro_f1 - bad.macro_f1)
    assert (found.a, found.b, found.resampled, found.design) == ("good", "bad", "sample", "one run")
    assert found.mcnemar is not None
    assert "data:lake@cccccc|manifest:bbbbbb|split:holdout.v1(0)" in found.signature


def test_tracks_are_compared_over_their_common_seeds(out: Path) -> None:
    """The mean of both differences, with the corrected t test; what one side has alone is told."""
    matched = match_runs(out / "runs" / "lake" / "good", out / "runs" / "lake" / "bad", resampling=HOW)
    (found,) = compared(matched)

    assert len(found.deltas) == 2
    assert found.delta == pytest.approx(sum(found.deltas) / 2)
    assert found.design == "repeated hold-out"
    assert found.over_splits is not None
    assert found.over_splits.mean == pytest.approx(found.delta)
    assert found.mcnemar is None
    assert matched.left_out == ()


def test_seeds_on_one_split_get_no_t_test(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They tell how much training varies, which is another question."""
    for seed in (0, 3):
        add_run(tmp_path, "good", wrong=1 + seed, seed=seed)
        add_run(tmp_path, "bad", wrong=9, seed=seed)
    (found,) = compared(match_runs(tmp_path / "runs/lake/good", tmp_path / "runs/lake/bad", resampling=HOW))

    assert (found.design, found.over_splits, found.n_objects) == ("seeds on one split", None, 21)
    assert any("how much training varies" in line for line in found.in_words())


def test_folders_with_several_tracks_pair_those_of_one_name(out: Path, tmp_path: Path) -> None:
    """Of another results folder the same tracks; a data set that one side lacks is left out and told."""
    other = shutil.copytree(out, tmp_path / "other")
    shutil.rmtree(other / "runs" / "bay")
    matched = match_runs(out, other, resampling=HOW)

    assert [(one.a, one.b, one.dataset) for one in compared(matched)] == [
        ("bad (out)", "bad (other)", "lake"), ("good (out)", "good (other)", "lake"),
    ]  # fmt: skip
    assert matched.left_out == ("bad (out) alone has bay holdout.v1 seed 0",)


def test_tracks_of_folders_can_be_named(out: Path) -> None:
    """One of the first side, one of the second."""
    (found,) = compared(match_runs(out, out, tracks=("bad", "good"), resampling=HOW))

    assert (found.a, found.b, found.verdict) == ("bad", "good", "b")


def test_runs_that_were_set_aside_are_not_read(out: Path) -> None:
    """A folder beside `runs` counts for nothing."""
    shutil.copytree(out / "runs", out / "replaced")

    assert len(match_runs(out, out, resampling=HOW).evaluations) == 3


def test_a_file_stands_beside_a_run(out: Path, tmp_path: Path) -> None:
    """On the run's test objects, in either order."""
    file = tmp_path / "mine.csv"
    pd.read_parquet(place(out, "bad") / "predictions.parquet").to_csv(file, index=False)
    (runs,) = compared(match_runs(place(out, "good"), place(out, "bad"), resampling=HOW))
    (found,) = compared(match_runs(place(out, "good"), file, resampling=HOW))
    (turned,) = compared(match_runs(file, place(out, "good"), resampling=HOW))

    assert (found.a, found.b) == ("good", "mine.csv")
    assert (found.delta, found.interval) == (runs.delta, runs.interval)
    assert (turned.a, turned.delta) == ("mine.csv", -found.delta)


def test_a_truth_may_be_given_for_runs_too(out: Path, tmp_path: Path) -> None:
    """Then its groups are drawn."""
    test = read_runs(out)[-1].truth.query("part == 'test'").assign(station="x")
    test.loc[test.index[:9], "station"] = "y"
    test.to_csv(tmp_path / "truth.csv", index=False)
    matched = match_runs(
        place(out, "good", 1), place(out, "bad", 1), truth=tmp_path / "truth.csv", group="station", resampling=HOW
    )

    assert compared(matched)[0].n_clusters == 2


def test_other_data_are_refused(out: Path, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Both hashes are named."""
    other = add_run(tmp_path / "other", "good", data_sha256="d" * 64)

    with pytest.raises(
        DataError, match=r"cannot be compared: data hash cccccc against dddddd\. Expected runs of the same"
    ):
        match_runs(place(out, "good"), other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda truth: truth[truth["object_id"] != "o0000"], "1 test objects in the first alone: o0000"),
        (lambda truth: truth.replace({"object_id": {"o0003": "x"}}), "1 test objects in the second alone: x"),
        (
            lambda truth: truth.assign(taxon="egg (other)"),
            r"18 test objects have another taxon: o0000, o0003.*18 in all",
        ),
        (lambda truth: truth.assign(sample="s9"), "test objects have another group"),
    ],
)
def test_other_test_objects_are_refused(
    out: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    """Which objects, and how many."""
    other = shutil.copytree(out, tmp_path / "other")
    path = other / "truth" / "lake" / "holdout.v1" / "seed-0.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)

    with pytest.raises(DataError, match=message):
        match_runs(place(out, "good"), place(other, "good"))


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        ("nothing.csv", "runs", SuiteError, r"nothing\.csv does not exist; expected a predictions file or a folder"),
        ("truth.csv", "truth.csv", SuiteError, "are two files; expected --truth"),
        ("truth", "runs", SuiteError, "truth holds no finished runs; expected a predictions file"),
        ("truth.csv", "runs", SuiteError, r"runs holds 5 finished runs \(bay/bad/holdout.v1/seed-0, .*folder of one"),
        ("truth.csv", "runs/bay", SubmissionError, r"truth\.csv: 21 of 21 objects have no prediction"),
        (
            "runs/bay",
            "runs/lake/good",
            DataError,
            "no finished run in common. bad alone has bay holdout.v1 seed 0; good",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(
    out: Path, a: str, b: str, error: type[PlanktonbenchError], message: str
) -> None:
    """What stands there, and what was expected."""
    (out / "truth.csv").write_text("object_id,taxon\nq,Copepoda\n")

    with pytest.raises(error, match=message):
        match_runs(out / a, out / b)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"group": "station"}, "--group is 'station'; expected 'sample', the only group that runs store"),
        ({"tracks": ("god", "bad")}, "has no finished run of the track 'god'. Did you mean good?"),
    ],
)
def test_wrong_choices_are_told(out: Path, choices: dict[str, str], message: str) -> None:
    """With what there is."""
    with pytest.raises(SuiteError, match=message):
        match_runs(out, out, **choices)  # type: ignore[arg-type]  # a text or two


def test_tracks_of_no_common_name_are_told(out: Path, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """With those of both sides, and what to do."""
    for name in ("one", "two"):
        add_run(tmp_path / "other", name)

    with pytest.raises(DataError, match=r"tracks bad, good, .* has one, two: none in common.*--tracks"):
        match_runs(out, tmp_path / "other")
