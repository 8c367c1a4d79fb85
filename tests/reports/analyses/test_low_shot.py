"""Scores of base and low-shot classes, compared with scikit-learn, and the tracks that they are shown for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.analyses.low_shot import COLUMNS, LowShotClasses
from planktonbench.reports.figures.style import style
from planktonbench.reports.results.run_table import KEYS, REASON
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.stored_run import StoredRun

METHODS = {
    "imprint-mi": (0.7, 0.6, "rare"),
    "imprint-ri": (0.8, 0.0, "base"),
    "xgb-native": (0.6, 0.5, "base"),
}


def test_scores_of_each_group_are_those_of_scikit_learn(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Means over the classes of the group; predictions of objects of the other group lower the precision."""
    runs = imprinting_runs(METHODS)
    table = LowShotClasses().table(runs)

    assert table.columns.tolist() == [*KEYS, *COLUMNS, REASON]
    assert len(table) == 2 * len(runs)
    for run in runs:
        truth, predicted = run.predictions["taxon"], run.predictions["predicted"]
        rows = table[(table["track"] == run.card.track.name) & (table["seed"] == run.card.split.seed)]
        for group, beginning in (("base", "base"), ("low-shot", "rare")):
            labels = sorted({taxon for taxon in truth if taxon.startswith(beginning)})
            precision, recall, _, _ = precision_recall_fscore_support(
                truth, predicted, labels=labels, average="macro", zero_division=0
            )
            (row,) = rows[rows["group"] == group].to_dict("records")

            assert (row["macro_precision"], row["macro_recall"]) == pytest.approx((precision, recall))
            assert row["n_classes"] == len(labels) == 4
            for name in ("macro_precision", "macro_recall"):
                assert row[f"{name}_lo"] <= row[name] <= row[f"{name}_hi"]
                assert row[f"{name}_lo"] < row[f"{name}_hi"]


def test_intervals_are_of_the_jackknife_without_each_object(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """On the arcsine scale, with the error of the values without each object."""
    (run,) = imprinting_runs({"imprint-mi": METHODS["imprint-mi"]}, seeds=(0,))
    row = LowShotClasses().table([run]).query("group == 'low-shot'").to_dict("records")[0]
    predictions = run.predictions
    labels = sorted({taxon for taxon in predictions["taxon"] if taxon.startswith("rare")})

    def precision(keep: np.ndarray) -> float:
        rows = predictions[keep]
        scores = precision_recall_fscore_support(rows["taxon"], rows["predicted"], labels=labels, zero_division=0)
        return float(np.mean(scores[0]))

    n = len(predictions)
    left_out = np.array([precision(np.arange(n) != k) for k in range(n)])
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    value = row["macro_precision"]
    half = stats.t.ppf(0.975, n - 1) * error / np.sqrt(value * (1 - value))
    expected = np.sin((2 * np.arcsin(np.sqrt(value)) + np.array([-half, half])) / 2) ** 2

    assert [row["macro_precision_lo"], row["macro_precision_hi"]] == pytest.approx(expected.tolist())


def test_classes_that_are_never_predicted_have_an_interval(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Random imprinting has zero recall; its upper bound is that of a proportion of the test objects of the group."""
    (run, *_) = imprinting_runs({"imprint-ri": METHODS["imprint-ri"]}, seeds=(0,))
    row = LowShotClasses().table([run]).query("group == 'low-shot'").to_dict("records")[0]
    n = int(run.predictions["taxon"].str.startswith("rare").sum())

    assert (row["macro_recall"], row["macro_precision"], row["macro_recall_lo"]) == (0, 0, 0)
    assert row["macro_recall_hi"] == pytest.approx(1 - 0.025 ** (1 / n))


def test_times_are_those_of_the_cards(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Of the run and the one that it continues; on the page, times and scores are means ± standard deviations."""
    methods = {"imprint-base": (0.9, 0.0, "base"), **METHODS}
    table = LowShotClasses().table(imprinting_runs(methods))
    times = ["fit_seconds", "imprint_seconds", "base_fit_seconds"]
    by_track = table.drop_duplicates(["track", "seed"]).set_index(["track", "seed"])[times].astype(float)
    shown = LowShotClasses().summary(table).loc["imprint-mi"]
    recalls = table[(table["track"] == "imprint-mi") & (table["group"] == "low-shot")]["macro_recall"]

    assert by_track.loc["imprint-mi"].to_numpy().tolist() == [[18 + k, 0.25, 60 + k] for k in range(3)]
    assert np.isnan(by_track.loc["xgb-native", ["imprint_seconds", "base_fit_seconds"]]).all(axis=None)
    assert np.isnan(by_track.loc["imprint-base", "base_fit_seconds"]).all()
    assert shown["training, s"] == "19.0 ± 1.0"
    assert shown["imprinting, s"] == "0.25 ± 0.00"
    assert shown["base model, s"] == "61.0 ± 1.0"
    assert shown["low-shot recall"].startswith(f"{recalls.mean():.3f} ± {recalls.std():.3f} [")
    assert LowShotClasses().summary(table).loc["xgb-native", "imprinting, s"] == "–"


def test_other_sections_and_runs_without_groups(
    imprinting_runs: Callable[..., list[StoredRun]], add_run: Callable[..., Path], tmp_path: Path
) -> None:
    """Another data set has no rows; a seed without an imprinting run has a reason."""
    add_run(tmp_path, "xgb-native", dataset="bay")
    runs = imprinting_runs({"imprint-mi": METHODS["imprint-mi"]}, seeds=(0,))
    runs = imprinting_runs({"xgb-native": METHODS["xgb-native"]}, seeds=(0, 1))
    table = LowShotClasses().table(runs)
    without = table[table["group"].isna()]

    assert set(table["dataset"]) == {"lake"}
    assert without[["track", "seed"]].to_numpy().tolist() == [["xgb-native", 1]]
    assert without[REASON].tolist() == ["no run of weight imprinting on this split and seed states base classes"]
    assert [LowShotClasses().applies(section) for section in sections_of(runs)] == [False, True]
    assert not len(LowShotClasses().table([run for run in runs if run.card.data.name == "bay"]))


def test_a_group_without_test_objects_has_a_reason(tmp_path: Path, make_section: Callable[..., object]) -> None:
    """Its scores are missing."""
    make_section({"chosen": {"base_classes": ["Copepoda", "detritus", "egg (other)"], "low_shot_classes": ["Zoea"]}})
    table = LowShotClasses().table(read_runs(tmp_path / "results"))

    assert table["n_classes"].tolist() == [3, 0]
    assert table[REASON].tolist() == ["", "no low-shot class has test objects"]
    assert table["macro_recall"].isna().tolist() == [False, True]


def test_the_figure_shows_the_tracks_of_the_paper(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Fine-tuning and training from scratch have no runs; the best other tracks take their place."""
    (section,) = sections_of(imprinting_runs(METHODS))
    with style():
        figure = LowShotClasses().draw(section, LowShotClasses().table(section.runs))

    assert figure is not None
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names[0] == "imprint-mi"
    assert set(names) == set(METHODS)
