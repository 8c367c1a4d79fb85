"""Search over the confusion threshold: which tracks it consists of, and their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from planktonbench.reports.analyses.confusion_threshold import ConfusionThreshold
from planktonbench.reports.comparisons.fusion_gain import valid_macro_f1
from planktonbench.reports.figures.style import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

METHOD = "subclass-triplet"


def track(name: str, wrong: int, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - options of the track
    """Return the settings of a run of a track with options."""
    return {
        "track": name, "wrong": wrong, "wrong_valid": wrong + 1, "config": {"track": METHOD, "margin": 0.7, **options},
        "chosen": {"subclasses": {"a": wrong}},
    }  # fmt: skip


def test_tracks_that_differ_in_nothing_else_are_compared(make_section: Callable[..., Section]) -> None:
    """Not one with another margin as well, one without the option, or one that has the same threshold alone."""
    section = make_section(
        track("low", 5, confusion_threshold=0.1), track("paper", 1, confusion_threshold=0.3),
        track("other", 2, confusion_threshold=0.5, margin=0.2), {"track": "standard", "config": {"track": "standard"}},
    )  # fmt: skip
    table = ConfusionThreshold().table(section.runs)

    assert ConfusionThreshold().applies(section)
    assert table[["track", "method", "confusion_threshold", "n_subclasses"]].to_numpy().tolist() == [
        ["paper", METHOD, 0.3, 1], ["low", METHOD, 0.1, 5],
    ]  # fmt: skip
    for row in table.to_dict("records"):
        (run,) = [run for run in section.runs if run.card.track.name == row["track"]]
        assert row["valid_macro_f1"] == valid_macro_f1(run)
        assert run.score is not None
        assert (row["macro_f1"], row["macro_f1_lo"]) == (run.score.macro_f1, run.score.macro_f1_interval[0])


def test_scores_are_drawn_against_the_threshold(make_section: Callable[..., Section]) -> None:
    """Means over runs in the order of the thresholds, with the threshold of the paper."""
    section = make_section(*(
        track(name, wrong + seed, confusion_threshold=threshold) | {"seed": seed}
        for name, threshold, wrong in (("high", 0.6, 6), ("low", 0.2, 3)) for seed in (0, 1)
    ))  # fmt: skip
    table = ConfusionThreshold().table(section.runs)
    with style():
        figure = ConfusionThreshold().draw(section, table)
    test, valid, paper = figure.axes[0].lines
    means = table.groupby("confusion_threshold")[["macro_f1", "valid_macro_f1"]].mean()

    assert test.get_xdata().tolist() == [0.2, 0.6]
    assert test.get_ydata().tolist() == pytest.approx(means["macro_f1"].tolist())
    assert valid.get_ydata().tolist() == pytest.approx(means["valid_macro_f1"].tolist())
    assert paper.get_xdata()[0] == 0.3
    assert ConfusionThreshold().summary(table)["threshold"].to_dict() == {"high": "0.6", "low": "0.2"}


def test_a_single_threshold_is_no_search(make_section: Callable[..., Section]) -> None:
    """Two tracks with the same threshold neither."""
    section = make_section(track("one", 1, confusion_threshold=0.3), track("two", 2, confusion_threshold=0.3))

    assert not ConfusionThreshold().applies(section)
    assert not len(ConfusionThreshold().table(section.runs))
