"""Base and low-shot classes: stated by cards, shared by all tracks of a split, and pooled over splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from planktonbench.reports.results.class_groups import (
    ClassGroups,
    groups_by_split,
    groups_of,
    pooled_groups,
    split_key,
    stated_groups,
)
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.section import Section

TAXA = {"many": 30, "some": 12, "few": 6, "one": 1}


def stating(base: list[str], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of `chosen`
    """Return the settings of an imprinting run that states base classes."""
    return {"track": "imprint-mi", "taxa": TAXA, "chosen": {"base_classes": base, **more}}


def test_low_shot_classes_are_stated_or_the_others_with_training_objects(make_section: Callable[..., Section]) -> None:
    """The only object of a class is a test object, so that the class is in neither group."""
    runs = make_section(
        stating(["many"], threshold=10),
        stating(["many"], low_shot_classes=["few"]) | {"track": "imprint-ri"},
        {"track": "other", "taxa": TAXA, "chosen": {"depth": 3}},
    ).runs
    found = {run.card.track.name: stated_groups(run) for run in runs}

    assert "one" not in set(runs[0].truth.loc[runs[0].truth["part"] == "train", "taxon"])
    assert found == {
        "imprint-mi": ClassGroups(frozenset({"many"}), frozenset({"some", "few"}), 10),
        "imprint-ri": ClassGroups(frozenset({"many"}), frozenset({"few"}), None),
        "other": None,
    }


def test_other_tracks_have_the_groups_of_their_split_and_seed(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """A run without an imprinting run on its seed, or with contradictory ones, has none, with the reason."""
    for seed, base in ((0, ["many"]), (1, ["many", "some"]), (2, ["many"])):
        add_run(tmp_path, seed=seed, **stating(base))
    add_run(tmp_path, seed=2, **(stating(["some"]) | {"track": "imprint-large"}))
    for seed in range(4):
        add_run(tmp_path, "other", taxa=TAXA, seed=seed)
    add_run(tmp_path, seed=3, **(stating(["few"]) | {"status": "failed", "reason": "oh"}))
    runs = read_runs(tmp_path)
    by_split = groups_by_split(runs)
    found = {run.card.split.seed: groups_of(run, by_split) for run in runs if run.card.track.name == "other"}

    assert [sorted(groups.base) for groups in (found[0], found[1])] == [["many"], ["many", "some"]]  # type: ignore[union-attr]
    assert found[2] == "the runs of weight imprinting on this split and seed state different base classes"
    assert found[3] == "no run of weight imprinting on this split and seed states base classes"
    own = [groups_of(run, by_split) for run in runs if split_key(run)[2] == 2 and run.card.track.name != "other"]
    assert [sorted(groups.base) for groups in own] == [["some"], ["many"]]  # type: ignore[union-attr]


def test_pooled_groups_are_those_of_most_splits(make_section: Callable[..., Section]) -> None:
    """The threshold is the mean of the stated ones; a class in both groups equally often is a low-shot class."""
    bases = [["many", "some"], ["many", "some"], ["many"], ["many"]]
    section = make_section(*(stating(base, threshold=10 + k) | {"seed": k} for k, base in enumerate(bases)))
    groups = pooled_groups(section)

    assert groups is not None
    assert groups.base == {"many"}
    assert groups.low_shot == {"some", "few", "one"}
    assert groups.threshold == pytest.approx(11.5)


def test_a_section_without_imprinting_has_no_groups(make_section: Callable[..., Section]) -> None:
    """Nothing is stated."""
    assert pooled_groups(make_section()) is None
