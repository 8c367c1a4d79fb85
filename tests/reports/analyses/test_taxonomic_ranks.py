"""Scores by taxonomic rank, computed from folded labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.reports.analyses.taxonomic_ranks import COLUMNS, TaxonomicRanks, folds
from planktonbench.reports.results.run_table import KEYS
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.results.taxonomy import Taxonomy, taxonomy_of
from planktonbench.reports.scoring.score import score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.stored_run import StoredRun

NDSB = {"acantharia_protist": 18, "acantharia_protist_halo": 9, "amphipods": 9, "artifacts": 9}


@pytest.fixture
def run(tmp_path: Path, add_run: Callable[..., Path]) -> StoredRun:
    """A run that confuses five objects, all of one genus, with the sister class."""
    add_run(tmp_path, dataset="ndsb", taxa=NDSB, wrong=5)
    return read_runs(tmp_path)[0]


def test_confusion_within_a_branch_is_no_error_at_higher_ranks(run: StoredRun) -> None:
    """Ranks are in order, and rank `taxon` has the score of the run."""
    table = TaxonomicRanks().table([run]).set_index("rank")

    assert list(table.columns) == [*KEYS, *(name for name in COLUMNS if name != "rank"), "reason"]
    assert table.index.tolist() == ["1", "group", "taxon"]
    assert table["n_classes"].tolist() == [3, 3, 4]
    assert table.loc[["1", "group"], "macro_f1"].tolist() == [1, 1]
    assert run.score is not None
    assert table.loc["taxon", "macro_f1"] == run.score.macro_f1 < 1
    assert tuple(table.loc["taxon", ["macro_f1_lo", "macro_f1_hi"]]) == run.score.macro_f1_interval
    assert (table["lineages"] == "manifest").all()


def test_scores_are_those_of_folded_labels(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They equal scores of relabelled predictions; the signature contains the rank."""
    add_run(tmp_path, dataset="ndsb", taxa=NDSB, wrong=9)
    (run,) = read_runs(tmp_path)
    table = TaxonomicRanks().table([run]).set_index("rank")
    fold = taxonomy_of(run).folded(1)
    truth = run.predictions[["object_id", "group"]].assign(taxon=run.predictions["taxon"].map(fold))
    expected = score(
        truth, run.predictions[["object_id"]].assign(taxon=run.predictions["predicted"].map(fold)), group="group"
    )

    assert table.loc["1", "macro_f1"] == pytest.approx(expected.macro_f1, abs=1e-12)
    assert table.loc["1", "balanced_accuracy"] == pytest.approx(expected.balanced_accuracy, abs=1e-12)
    assert tuple(table.loc["1", ["macro_f1_lo", "macro_f1_hi"]]) == pytest.approx(expected.macro_f1_interval, abs=1e-12)
    assert run.score is not None
    assert table.loc["1", "signature"] == f"{run.score.signature}|rank:1@manifest"


def test_missing_lineages_are_reported(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The only row contains the reason."""
    add_run(tmp_path)
    table = TaxonomicRanks().table(read_runs(tmp_path))

    assert table["reason"].tolist() == ["neither the manifest nor the truth of lake has lineages"]
    assert table["macro_f1"].isna().all()


def test_uninformative_ranks_are_left_out() -> None:
    """Ranks with a single class, with the same classes as the rank above, or with all taxa separate."""
    places = {"a": ("x", "y", "u", "a"), "b": ("x", "y", "u", "b"), "c": ("x", "y", "v", "c")}
    by_rank = dict(folds(Taxonomy("truth", places, {}, {})))

    assert list(by_rank) == ["3", "taxon"]
    assert by_rank["3"] == {"a": "x/y/u", "b": "x/y/u", "c": "x/y/v"}
    assert by_rank["taxon"] == {name: name for name in places}
