"""Findings on weight imprinting: direction of every finding, its scores, and the values in the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench.reports.analyses.low_shot import LowShotClasses
from planktonbench.reports.analyses.low_shot_findings import BL, BL_64, METHODS, MI, MI_FT, RI, LowShotFindings
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    import pandas as pd
    from planktonbench.reports.results.stored_run import StoredRun

LESS_TIME = "Fine-tuning an imprinted model takes less training time"
AS_PUBLISHED = {
    "imprint-mi": (0.55, 0.5, "rare"),
    "imprint-mi-ft": (0.75, 0.7, "rare"),
    "imprint-ri": (0.8, 0.0, "base"),
    "imprint-ri-ft": (0.76, 0.72, "rare"),
    "imprint-bl": (0.95, 0.9, "base"),
    "imprint-bl-w": (0.7, 0.95, "rare"),
    "imprint-bl-wf": (0.4, 1.0, "rare"),
    "imprint-bl-64": (0.9, 0.8, "base"),
}
"""Simulated methods with differences in the directions of the paper."""


@pytest.fixture
def table(imprinting_runs: Callable[..., list[StoredRun]]) -> pd.DataFrame:
    """Findings of one run of each method."""
    return LowShotFindings().table(imprinting_runs(AS_PUBLISHED, seeds=(0,)))


def test_values_are_differences_of_the_scores_of_the_groups(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Means over runs, as in the table of scores."""
    runs = imprinting_runs(AS_PUBLISHED)
    table, scores = LowShotFindings().table(runs), LowShotClasses().table(runs)
    means = scores.groupby(["track", "group"])[["macro_precision", "macro_recall"]].mean()

    rows = table[table["p_holm"].notna()].to_dict("records")
    assert len(rows) == len(LowShotFindings.findings)
    for row in rows:
        group, name = row["score"].split()
        a, b = (means.loc[(one, group), f"macro_{name}"] if one else 0 for one in (row["a"], row["b"]))
        assert row["value"] == pytest.approx(a - b)
        assert row["value_a"] == pytest.approx(a)
        assert row["lo"] <= row["value"] <= row["hi"]
    assert set(table["claim"]) == {"methods"}
    assert set(table["n_runs"]) == {3}


def test_large_differences_in_the_published_direction_hold(table: pd.DataFrame) -> None:
    """Methods with the differences of the paper, only larger, confirm it; nothing is contradicted."""
    verdicts = table.groupby("finding")["verdict"].agg(set)

    for beginning in (
        "Mean imprinting finds", "Mean imprinting has a nonzero", "Mean imprinting lowers",
        "Training from scratch has a higher",
    ):  # fmt: skip
        (found,) = verdicts[verdicts.index.str.startswith(beginning)]
        assert found == {"holds"}
    (none_of_32,) = verdicts[verdicts.index.str.startswith("Random imprinting finds no")]
    assert none_of_32 == {"inconclusive"}  # none of 32 objects may be 0.11
    assert "does not hold" not in set(table["verdict"])


def test_opposite_differences_do_not_hold(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """With the methods exchanged, the findings are contradicted."""
    exchanged = {"imprint-mi": AS_PUBLISHED[RI], "imprint-ri": AS_PUBLISHED[MI]}
    rows = LowShotFindings().table(imprinting_runs(exchanged, seeds=(0,)))
    found = rows[rows["verdict"] != ""].set_index("score")["verdict"]

    assert found["base recall"] == "does not hold"
    assert set(found["low-shot recall"]) == {"does not hold"}
    missing = rows[rows["verdict"] == ""]
    assert set(missing["reason"]) >= {f"no finished runs of {MI_FT}"}
    assert len(missing) + len(found) == len(LowShotFindings.findings)


def over_runs(table: pd.DataFrame, beginning: str) -> dict[Hashable, Any]:
    """Return the row of the finding that begins like this."""
    (row,) = table[table["finding"].str.startswith(beginning)].to_dict("records")
    return row


def test_training_times_of_one_run_are_not_tested(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """The ratio is shown, and that with the training of the base model if it is in the folder."""
    methods = {name: AS_PUBLISHED[name] for name in (MI_FT, BL)}
    without = LowShotFindings().table(imprinting_runs(methods, seeds=(0,)))
    table = LowShotFindings().table(imprinting_runs({"imprint-base": (0.9, 0.0, "base")}, seeds=(0,)))
    row, alone = (over_runs(one, LESS_TIME) for one in (table, without))

    assert (row["a"], row["b"], row["verdict"]) == (MI_FT, BL, "not tested")
    assert row["value"] == alone["value"] == pytest.approx(18 / 40)
    assert np.isnan([row["p_value"], row["p_holm"], row["lo"], row["hi"]]).all()
    assert row["reason"] == f"{alone['reason']}; {(18 + 60) / 40:.2f} with the training of the base model"
    assert row["published"] == "UVP5 0.642; ZooScan 0.476"


def test_training_times_are_compared_over_runs(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Geometric mean of the ratios of three runs, without Holm's correction; the page states what it contains."""
    runs = imprinting_runs({name: AS_PUBLISHED[name] for name in (MI_FT, BL)})
    table = LowShotFindings().table(runs)
    row = over_runs(table, LESS_TIME)

    assert row["value"] == pytest.approx(np.prod([18 / 40, 19 / 41, 20 / 42]) ** (1 / 3))
    assert row["lo"] < row["value"] < row["hi"] < 1
    assert (row["verdict"], row["side"], row["bound"], row["n_runs"]) == ("holds", "below", 1, 3)
    assert row["p_value"] < 0.05
    assert np.isnan(row["p_holm"])
    sentences = LowShotFindings().remarks(sections_of(runs)[0], table)
    assert f"{row['finding']}: {row['reason']}." in sentences
    assert "variation over runs only" in LowShotFindings.description


@pytest.mark.parametrize(("stopped", "limit"), [("limit", "epochs"), ("time", "time")])
def test_trainings_that_a_limit_stopped_are_inconclusive(
    imprinting_runs: Callable[..., list[StoredRun]], stopped: str, limit: str
) -> None:
    """Their time and epochs are those of the limit; that of imprinting is negligible all the same."""
    runs = imprinting_runs({name: AS_PUBLISHED[name] for name in (MI, MI_FT, BL, BL_64)})
    curve = {"unit": "epoch", "measure": "macro F1", "scores": [0.1], "steps": [1], "best": 1, "limit": 1}
    (last,) = (run for run in runs if run.card.track.name == BL and run.card.split.seed == 2)
    trials = [{"seconds": 1.0, "curve": curve | {"stopped": stopped}}]
    (last.folder / "card.json").write_text(last.card.changed(trials=trials, n_trials=1).to_text(), encoding="utf-8")
    table = LowShotFindings().table(read_runs(last.out))

    for beginning in (LESS_TIME, "Embeddings of 64 dimensions delay"):
        row = over_runs(table, beginning)
        assert row["verdict"] == "inconclusive"
        assert row["reason"].startswith(f"{BL} stopped by its limit of {limit} in 1 of 3 runs; ")
    assert over_runs(table, "The time for computing weights")["verdict"] == "holds"


def test_training_seconds_include_earlier_attempts(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """A card that states them has those of a resumed run, too; one without seconds is a reason."""
    runs = imprinting_runs({name: AS_PUBLISHED[name] for name in (MI_FT, BL)}, seeds=(0,))
    (resumed,) = (run for run in runs if run.card.track.name == BL)
    values = []
    for facts in ({"chosen": resumed.card.track.chosen | {"training_seconds": 90.0}}, {"fit_seconds": None}):
        (resumed.folder / "card.json").write_text(resumed.card.changed(**facts).to_text(), encoding="utf-8")
        values.append(over_runs(LowShotFindings().table(read_runs(resumed.out)), LESS_TIME))

    assert values[0]["value_b"] == 90
    assert values[1]["verdict"] == ""
    assert values[1]["reason"] == f"ratio of training seconds not known for every run of {MI_FT} and {BL}"


def test_imprinting_takes_a_negligible_share_of_the_training_time(
    imprinting_runs: Callable[..., list[StoredRun]],
) -> None:
    """A quarter of a second of 40; the page has small ratios with three digits."""
    table = LowShotFindings().table(imprinting_runs({name: AS_PUBLISHED[name] for name in (MI, BL)}))
    row = over_runs(table, "The time for computing weights")

    assert row["value"] == pytest.approx(0.25 / np.prod([40, 41, 42]) ** (1 / 3))
    assert (row["bound"], row["verdict"]) == (0.01, "holds")
    assert row["published"] == "UVP5 4.64e-05; ZooScan 9.56e-05"
    assert "the paper has 0.476 and 2.120 s" in row["reason"]
    shown = LowShotFindings().summary(table).loc[row["finding"]]
    assert shown["value [95 % CI]"].startswith("0.0061\u00a0[0.00")
    assert shown["measure"] == "ratio of imprinting seconds to training seconds, imprint-mi to imprint-bl (below 0.01)"


def test_the_paper_confirms_its_own_findings_with_few_exceptions() -> None:
    """Every difference in its tables is on the side of the finding, except where tables contradict its text."""
    exceptions = {
        (finding.statement, finding.score, experiment)
        for finding in LowShotFindings.findings
        for experiment, value in finding.published_values(LowShotFindings.published).items()
        if (value > finding.bound) != (finding.side == "above")
    }

    at_least_as_well = "Training from scratch finds low-shot classes at least as well as fine-tuning"
    no_better = "Fine-tuning an imprinted model is no better than training from scratch"
    expected = {(at_least_as_well, "low-shot recall"), (no_better, "base precision"), (no_better, "low-shot recall")}
    assert exceptions == {(*of, experiment) for of in expected for experiment in ("UVP5", "ZooScan")}


def test_the_tables_have_what_the_paper_prints() -> None:
    """It prints no low-shot precision of random imprinting, and nothing on embeddings of 64 dimensions."""
    assert np.isnan([of_method[RI]["low-shot precision"] for of_method in LowShotFindings.published.values()]).all()
    assert set(LowShotFindings.published["UVP5"]) == set(METHODS) - {BL_64}  # of which the paper gives no numbers


def test_epochs_of_small_embeddings_are_compared_over_runs(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Three runs with the same ratio of kept epochs show nothing about other runs."""
    table = LowShotFindings().table(imprinting_runs({name: AS_PUBLISHED[name] for name in (BL, BL_64)}))
    row = over_runs(table, "Embeddings of 64 dimensions delay")

    assert (row["a"], row["b"], row["value"]) == (BL_64, BL, pytest.approx(1.5))
    assert (row["lo"], row["hi"], row["verdict"]) == (0, np.inf, "inconclusive")
    assert row["published"] == ""


def test_runs_on_other_splits_are_not_compared(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Tracks without common runs have no ratio."""
    imprinting_runs({BL: AS_PUBLISHED[BL]}, seeds=(0, 1))
    table = LowShotFindings().table(imprinting_runs({BL_64: AS_PUBLISHED[BL_64]}, seeds=(2,)))

    assert over_runs(table, "Embeddings of 64 dimensions delay")["reason"] == f"no common runs of {BL_64} and {BL}"


def test_methods_stored_under_other_names_are_found(
    imprinting_runs: Callable[..., list[StoredRun]], add_run: Callable[..., Path]
) -> None:
    """The table has the names of the tracks."""
    runs = imprinting_runs({"imprint-mi": AS_PUBLISHED[MI]}, seeds=(0,))
    chosen = runs[0].card.track.chosen
    taxa = runs[0].truth["taxon"].value_counts().to_dict()
    add_run(
        runs[0].out, "random-weights", taxa=dict(sorted(taxa.items())), samples=0, config={"track": RI}, chosen=chosen
    )
    rows = LowShotFindings().table(read_runs(runs[0].out))

    assert rows["b"].iloc[0] == "random-weights"
    assert rows["verdict"].iloc[0] != ""
    assert rows["claim"].iloc[0] == "fitted models"


def test_different_base_classes_on_a_split_are_a_reason(
    imprinting_runs: Callable[..., list[StoredRun]], add_run: Callable[..., Path]
) -> None:
    """Scores of the groups cannot be compared then."""
    runs = imprinting_runs({"imprint-mi": AS_PUBLISHED[MI]}, seeds=(0,))
    taxa = dict(sorted(runs[0].truth["taxon"].value_counts().to_dict().items()))
    add_run(runs[0].out, RI, taxa=taxa, samples=0, chosen={"base_classes": ["base 1"]})
    rows = LowShotFindings().table(read_runs(runs[0].out))
    sentences = LowShotFindings().remarks(sections_of(read_runs(runs[0].out))[0], rows)

    assert set(rows["verdict"]) == {""}
    assert rows["reason"].iloc[0] == "runs of weight imprinting on the same split and seed state different base classes"
    (sentence,) = (one for one in sentences if "are not shown" in one)
    assert sentence.startswith("37 of 37 findings are not shown: runs of weight imprinting on the same split")
    assert "different base classes (5); no finished runs of imprint-mi-ft (" in sentence


def test_the_page_shows_values_verdicts_and_margins(table: pd.DataFrame) -> None:
    """One row for each finding; a value has its interval, and a margin is stated."""
    shown = LowShotFindings().summary(table)
    random, nonzero, not_better = (
        shown.iloc[1],
        shown.iloc[2],
        shown[shown.index.str.startswith("Fine-tuning is no better")].iloc[0],
    )

    assert len(shown) == len(table)
    assert random["measure"] == "low-shot recall, imprint-ri (below 0.01)"
    assert random["value [95 % CI]"].startswith("0.000\u00a0[0.000,")
    assert nonzero["measure"] == "low-shot precision, imprint-mi (above 0.01)"
    assert nonzero["in the paper"] == "UVP5\u00a00.03; ZooScan\u00a00.066"
    assert not_better["measure"] == "base precision, imprint-mi-ft − imprint-ri-ft (below 0.02)"
    assert not_better["in the paper"] == "UVP5\u00a0-0.012; ZooScan\u00a0-0.007"
    times = shown[shown.index.str.startswith(LESS_TIME)].iloc[0]
    assert times[["value [95 % CI]", "p (Holm)", "verdict"]].tolist() == ["0.45", "–", "not tested"]
