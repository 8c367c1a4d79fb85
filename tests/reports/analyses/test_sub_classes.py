"""Scores, variances of errors and perfect classes of methods with sub-classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.analyses.calibration import ScoresAsProbabilities
from planktonbench.reports.analyses.error_variance import EvennessOfErrors
from planktonbench.reports.analyses.sub_classes import COLUMNS, SubClasses
from planktonbench.reports.figures.style import style
from planktonbench.reports.results.run_table import KEYS, REASON
from planktonbench.reports.results.stored_run import read_runs, scores_table
from sklearn.metrics import precision_score, recall_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.section import Section

TAXA = {"a": 30, "b": 45, "c": 21, "d": 15}
DIVIDED = {"subclasses": {"a": 1, "b": 4, "c": 2, "d": 1}}


def method(track: str, wrong: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings of a run
    """Return the settings of a run."""
    return {"track": track, "wrong": wrong, "taxa": TAXA, **more}


def test_variances_are_those_of_the_stored_predictions(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Computed from predictions and truth alone, with the divisor n; the other scores are those of scikit-learn."""
    folder = add_run(tmp_path, **method("subclass-triplet", 14, chosen=DIVIDED))
    (row,) = SubClasses().table(read_runs(tmp_path)).to_dict("records")
    called = pd.read_parquet(folder / "predictions.parquet").set_index("object_id")["taxon"]
    truth = pd.read_parquet(tmp_path / "truth/lake/holdout.v1/seed-0.parquet").set_index("object_id")["taxon"]
    truth = truth[called.index]
    support = truth.value_counts()
    missed = [1 - (called[truth == taxon] == taxon).mean() for taxon in support.index]
    wrong = [((called == taxon) & (truth != taxon)).sum() / support[taxon] for taxon in support.index]

    assert row["variance_fn"] == pytest.approx(np.var(missed))
    assert row["variance_fp"] == pytest.approx(np.var(wrong))
    assert row["perfect_classes"] == missed.count(0)
    assert row["n_subclasses"] == 8
    assert row["accuracy"] == (called == truth).mean()
    assert row["macro_recall"] == pytest.approx(recall_score(truth, called, average="macro"))
    assert row["macro_precision"] == pytest.approx(precision_score(truth, called, average="macro", zero_division=0))


def test_values_and_intervals_agree_with_other_tables(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The same number has one interval in a report."""
    for seed in (0, 1):
        add_run(tmp_path, **method("subclass-only", 9, seed=seed, chosen=DIVIDED))
    runs = read_runs(tmp_path)
    table, errors, scores = SubClasses().table(runs), EvennessOfErrors().table(runs), scores_table(runs)
    calibration = ScoresAsProbabilities().table(runs)

    assert table.columns.tolist() == [*KEYS, *COLUMNS, REASON]
    for name, other in (("variance_fn", errors), ("macro_f1", scores), ("accuracy", calibration)):
        columns = [name, f"{name}_lo", f"{name}_hi"]
        assert table[columns].to_numpy(float).tolist() == other[columns].to_numpy(float).tolist()
    for name in ("macro_recall", "macro_precision"):
        assert ((table[f"{name}_lo"] < table[name]) & (table[name] < table[f"{name}_hi"])).all()


def test_all_tracks_of_a_section_with_sub_classes_have_rows(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Standard classification states no sub-classes; another data set and unfinished runs have no rows."""
    add_run(tmp_path, **method("standard", 9))
    add_run(tmp_path, **method("subclass-only", 4, chosen=DIVIDED))
    add_run(tmp_path, **method("gs-trs", 4, status="failed", reason="oh", chosen=DIVIDED))
    add_run(tmp_path, **method("standard", 4, dataset="bay", chosen={"depth": 3}))
    table = SubClasses().table(read_runs(tmp_path)).set_index("track")

    assert table.index.tolist() == ["standard", "subclass-only"]
    assert set(table["dataset"]) == {"lake"}
    assert np.isnan(table.loc["standard", "n_subclasses"])
    shown = SubClasses().summary(table.reset_index())
    assert shown.loc["standard", "sub-classes"] == "–"
    assert shown.loc["subclass-only", "sub-classes"] == "8.0"
    assert shown.columns.tolist()[:4] == ["accuracy", "macro recall", "macro precision", "macro F1"]


def test_it_applies_to_sections_with_sub_classes(make_section: Callable[..., Section]) -> None:
    """The figure has the tracks of the paper in its order."""
    section = make_section(
        method("subclass-triplet", 3, chosen=DIVIDED), method("standard", 14), method("subclass-only", 9)
    )
    with style():
        figure = SubClasses().draw(section, pd.DataFrame())

    assert SubClasses().applies(section)
    assert figure is not None
    names = [text.get_text().split(",")[0] for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["standard", "subclass-only", "subclass-triplet"]


def test_it_does_not_apply_without_sub_classes(make_section: Callable[..., Section]) -> None:
    """Nothing is stated."""
    assert not SubClasses().applies(make_section(method("standard", 3)))
