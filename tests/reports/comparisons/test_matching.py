"""Matching of files and folders of runs: matched runs, runs without a counterpart, and errors."""

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

RESAMPLING = Resampling(draws=100)
RUN = "runs/lake/{track}/holdout.v1/seed-{seed}"


@pytest.fixture
def out(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Two seeds of a good and a bad track on one data set, and one seed of the bad track on another data set."""
    for seed in (0, 1):
        add_run(tmp_path / "out", "good", wrong=1, seed=seed)
        add_run(tmp_path / "out", "bad", wrong=9, seed=seed)
    add_run(tmp_path / "out", "bad", dataset="bay")
    return tmp_path / "out"


def compared(matched: Matched) -> list[Comparison]:
    """Return the comparison of each evaluation."""
    return [evaluation.compare(0, 1) for evaluation in matched.evaluations]


def folder_of(out: Path, track: str, seed: int = 0) -> Path:
    """Return the folder of a run."""
    return out / RUN.format(track=track, seed=seed)


def test_two_runs_do_not_need_a_truth(out: Path) -> None:
    """The truth of the results folder is used, so the difference is that of the stored scores."""
    (found,) = compared(match_runs(folder_of(out, "good"), folder_of(out, "bad"), resampling=RESAMPLING))
    scores = {run.folder: run.score for run in read_runs(out)}
    good, bad = scores[folder_of(out, "good")], scores[folder_of(out, "bad")]

    assert good is not None
    assert bad is not None
    assert found.delta == pytest.approx(good.macro_f1 - bad.macro_f1)
    assert (found.a, found.b, found.resampled, found.design) == ("good", "bad", "sample", "one run")
    assert found.mcnemar is not None
    assert found.claim == "fitted models"
    assert "data:lake@cccccc|manifest:bbbbbb|split:holdout.v1(0)" in found.signature


def test_tracks_are_compared_over_their_common_seeds(out: Path) -> None:
    """The mean of both differences, with the corrected t test; no run is left out."""
    matched = match_runs(out / "runs" / "lake" / "good", out / "runs" / "lake" / "bad", resampling=RESAMPLING)
    (found,) = compared(matched)

    assert len(found.deltas) == 2
    assert found.delta == pytest.approx(sum(found.deltas) / 2)
    assert found.design == "repeated hold-out"
    assert found.over_splits is not None
    assert found.over_splits.mean == pytest.approx(found.delta)
    assert found.claim == "methods"
    assert found.mcnemar is None
    assert matched.left_out == ()


def test_seeds_on_one_split_have_no_t_test(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They show only how much training varies."""
    for seed in (0, 3):
        add_run(tmp_path, "good", wrong=1 + seed, seed=seed)
        add_run(tmp_path, "bad", wrong=9, seed=seed)
    (found,) = compared(match_runs(tmp_path / "runs/lake/good", tmp_path / "runs/lake/bad", resampling=RESAMPLING))

    assert (found.design, found.over_splits, found.n_objects) == ("seeds on one split", None, 21)
    assert any("how much training varies" in line for line in found.in_words())


def test_tracks_of_two_folders_are_matched_by_name(out: Path, tmp_path: Path) -> None:
    """Runs on a data set that one side lacks are reported as left out."""
    other = shutil.copytree(out, tmp_path / "other")
    shutil.rmtree(other / "runs" / "bay")
    matched = match_runs(out, other, resampling=RESAMPLING)

    assert [(one.a, one.b, one.dataset) for one in compared(matched)] == [
        ("bad (out)", "bad (other)", "lake"), ("good (out)", "good (other)", "lake"),
    ]  # fmt: skip
    assert matched.left_out == ("only bad (out) has bay holdout.v1 seed 0",)


def test_tracks_of_folders_can_be_selected(out: Path) -> None:
    """One track of the first side, and one of the second."""
    (found,) = compared(match_runs(out, out, tracks=("bad", "good"), resampling=RESAMPLING))

    assert (found.a, found.b, found.verdict) == ("bad", "good", "b")


def test_replaced_runs_are_not_read(out: Path) -> None:
    """Only runs in the folder `runs` are read."""
    shutil.copytree(out / "runs", out / "replaced")

    assert len(match_runs(out, out, resampling=RESAMPLING).evaluations) == 3


def test_a_file_is_compared_with_a_run(out: Path, tmp_path: Path) -> None:
    """The objects are the run's test objects, in either order of the two."""
    file = tmp_path / "mine.csv"
    pd.read_parquet(folder_of(out, "bad") / "predictions.parquet").to_csv(file, index=False)
    (runs,) = compared(match_runs(folder_of(out, "good"), folder_of(out, "bad"), resampling=RESAMPLING))
    (found,) = compared(match_runs(folder_of(out, "good"), file, resampling=RESAMPLING))
    (swapped,) = compared(match_runs(file, folder_of(out, "good"), resampling=RESAMPLING))

    assert (found.a, found.b) == ("good", "mine.csv")
    assert (found.delta, found.interval) == (runs.delta, runs.interval)
    assert (swapped.a, swapped.delta) == ("mine.csv", -found.delta)


def test_a_file_is_compared_with_the_run_that_has_its_objects(out: Path, tmp_path: Path) -> None:
    """Of several seeds of a track, that with the same test objects; with those of none, all are listed."""
    table = pd.read_parquet(folder_of(out, "good", 1) / "predictions.parquet")
    table.to_csv(tmp_path / "mine.csv", index=False)
    (found,) = compared(match_runs(tmp_path / "mine.csv", out / "runs/lake/bad", resampling=RESAMPLING))

    assert "split:holdout.v1(1)" in found.signature
    table[1:].to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(SuiteError, match="has 2 finished runs"):
        match_runs(tmp_path / "mine.csv", out / "runs/lake/bad")


def test_a_truth_can_be_given_for_runs(out: Path, tmp_path: Path) -> None:
    """Its groups are resampled."""
    test = read_runs(out)[-1].truth.query("part == 'test'").assign(station="x")
    test.loc[test.index[:9], "station"] = "y"
    test.to_csv(tmp_path / "truth.csv", index=False)
    matched = match_runs(
        folder_of(out, "good", 1),
        folder_of(out, "bad", 1),
        truth=tmp_path / "truth.csv",
        group="station",
        resampling=RESAMPLING,
    )

    assert compared(matched)[0].n_clusters == 2


def test_different_data_are_rejected(out: Path, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The message has both hashes."""
    other = add_run(tmp_path / "other", "good", data_sha256="d" * 64)

    with pytest.raises(
        DataError, match=r"cannot be compared: data hash cccccc vs\. dddddd\. Expected runs on the same"
    ):
        match_runs(folder_of(out, "good"), other)


def test_different_withheld_classes_are_rejected(out: Path, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The tracks did not learn the same classes; the message has both sets."""
    other = add_run(tmp_path / "other", "good", withheld=["detritus"])

    with pytest.raises(DataError, match=r"cannot be compared: withheld classes none vs\. detritus\. Expected"):
        match_runs(folder_of(out, "good"), other)


def test_the_signature_of_a_comparison_has_selected_and_withheld_classes(
    tmp_path: Path, add_run: Callable[..., Path]
) -> None:
    """As that of a score."""
    for track, wrong in (("good", 2), ("bad", 8)):
        add_run(tmp_path, track, wrong=wrong, withheld=["detritus"], selected={"of": 9}, manifest="sea")
    folders = (tmp_path / "runs" / "lake" / track for track in ("good", "bad"))
    (found,) = compared(match_runs(*folders, resampling=RESAMPLING))

    assert "|selected:3/9@" in found.signature
    assert "|withheld:1@" in found.signature
    assert (found.dataset, found.manifest) == ("lake", "sea")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda truth: truth[truth["object_id"] != "o0000"], "1 test objects only in the first: o0000"),
        (lambda truth: truth.replace({"object_id": {"o0003": "x"}}), "1 test objects only in the second: x"),
        (
            lambda truth: truth.assign(taxon="egg (other)"),
            r"18 test objects differ in taxon: o0000, o0003.*18 in all",
        ),
        (lambda truth: truth.assign(sample="s9"), "test objects differ in group"),
    ],
)
def test_different_test_objects_are_rejected(
    out: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    """The message has the objects and their number."""
    other = shutil.copytree(out, tmp_path / "other")
    path = other / "truth" / "lake" / "holdout.v1" / "seed-0.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)

    with pytest.raises(DataError, match=message):
        match_runs(folder_of(out, "good"), folder_of(other, "good"))


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        ("nothing.csv", "runs", SuiteError, r"nothing\.csv does not exist; expected a predictions file or a folder"),
        ("truth.csv", "truth.csv", SuiteError, "are two files; expected --truth"),
        ("truth", "runs", SuiteError, "truth has no finished runs; expected a predictions file"),
        ("truth.csv", "runs", SuiteError, r"runs has 5 finished runs \(bay/bad/holdout.v1/seed-0, .*folder of one"),
        ("truth.csv", "runs/bay", SubmissionError, r"truth\.csv: 21 of 21 objects have no prediction"),
        (
            "runs/bay",
            "runs/lake/good",
            DataError,
            "no finished run in common: only bad has bay holdout.v1 seed 0; only good",
        ),
    ],
)
def test_paths_that_cannot_be_compared_are_rejected(
    out: Path, a: str, b: str, error: type[PlanktonbenchError], message: str
) -> None:
    """The message has the reason and the expected input."""
    (out / "truth.csv").write_text("object_id,taxon\nq,Copepoda\n")

    with pytest.raises(error, match=message):
        match_runs(out / a, out / b)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "station"}, "--group is 'station'; expected 'sample', the only group that runs store"),
        ({"tracks": ("god", "bad")}, "has no finished run of the track 'god'. Did you mean good?"),
    ],
)
def test_invalid_options_are_rejected(out: Path, options: dict[str, str], message: str) -> None:
    """The message has the valid options."""
    with pytest.raises(SuiteError, match=message):
        match_runs(out, out, **options)  # type: ignore[arg-type]


def test_tracks_without_a_common_name_are_rejected(out: Path, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The message has the tracks of both sides and what to do."""
    for name in ("one", "two"):
        add_run(tmp_path / "other", name)

    with pytest.raises(DataError, match=r"tracks bad, good, .* has one, two: none in common.*--tracks"):
        match_runs(out, tmp_path / "other")
