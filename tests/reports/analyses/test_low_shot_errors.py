"""Base classes predicted as low-shot classes: the track, the errors, and their images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from planktonbench.reports.analyses.catalogue import objects_shown
from planktonbench.reports.analyses.low_shot_errors import BaseAsLowShot
from planktonbench.reports.figures.style import style
from planktonbench.reports.results.section import sections_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section
    from planktonbench.reports.results.stored_run import StoredRun

METHODS = {"imprint-mi": (0.5, 0.6, "rare"), "imprint-bl": (0.9, 0.8, "rare"), "xgb-native": (0.2, 0.2, "rare")}


def test_errors_are_those_of_mean_imprinting(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """The most frequent base classes predicted as low-shot classes, with confused and training objects."""
    (section,) = sections_of(imprinting_runs(METHODS, seeds=(0, 1)))
    mi = next(track for track in section.tracks if track.name == "imprint-mi")
    groups = BaseAsLowShot().picture_groups(section)
    counts = {
        (truth, predicted): int(mi.confusion.loc[truth, predicted])
        for truth in mi.confusion.index if truth.startswith("base")
        for predicted in mi.confusion.columns if predicted.startswith("rare")
    }  # fmt: skip
    truth = section.runs[0].truth.set_index("object_id")

    assert [int(group.title.split("(")[1].split()[0]) for group in groups] == sorted(counts.values(), reverse=True)[:4]
    for number, group in enumerate(groups, 1):
        base, low_shot, confused = group.strips
        names = base.title.removeprefix("base class: "), low_shot.title.removeprefix("low-shot class: ")

        assert group.title.startswith(f"{number}: {names[0]} predicted as {names[1]} ({counts[names]} objects, ")
        for strip, name in zip((base, low_shot), names, strict=True):
            assert truth.loc[list(strip.object_ids), ["taxon", "part"]].to_numpy().tolist() == [[name, "train"]]
        predicted = _predicted(section, "imprint-mi").loc[list(confused.object_ids)]
        assert len(confused.object_ids) == 2
        assert set(predicted["taxon"]) == {names[0]}
        assert names[1] in set(predicted["predicted"])
    assert objects_shown(section) >= {object_id for group in groups for object_id in group.object_ids}
    total = sum(counts.values())
    assert BaseAsLowShot().remarks(section, rows=section.subset_sizes)[0].startswith(f"imprint-mi predicts {total} of ")


def _predicted(section: Section, track: str) -> pd.DataFrame:
    tables = [run.predictions for run in section.runs if run.card.track.name == track]
    return pd.concat(tables).set_index("object_id")


def test_the_best_track_with_base_classes_replaces_mean_imprinting(
    imprinting_runs: Callable[..., list[StoredRun]],
) -> None:
    """A better track without base classes is not shown, and neither is one without such errors."""
    methods = {"imprint-base": (0.99, 0.0, "base"), **METHODS, "xgb-native": (1.0, 1.0, "rare")}
    del methods["imprint-mi"]
    (section,) = sections_of(imprinting_runs(methods, seeds=(0,)))
    with style():
        figure = BaseAsLowShot().draw(section, rows=section.subset_sizes)

    assert BaseAsLowShot().remarks(section, rows=section.subset_sizes)[0].startswith("imprint-bl predicts ")
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts][:1] == ["1"]


def test_without_such_errors_it_does_not_apply(imprinting_runs: Callable[..., list[StoredRun]]) -> None:
    """Random imprinting predicts no low-shot class."""
    (section,) = sections_of(imprinting_runs({"imprint-ri": (0.7, 0.0, "base")}, seeds=(0,)))

    assert not BaseAsLowShot().applies(section)
    assert BaseAsLowShot().picture_groups(section) == []
    assert BaseAsLowShot().draw(section, rows=section.subset_sizes) is None
