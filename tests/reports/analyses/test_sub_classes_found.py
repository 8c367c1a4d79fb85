"""Sub-classes found: which run, classes and objects are shown, and numbers by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from planktonbench.reports.analyses.sub_classes_found import PER_SUBCLASS, SubClassesFound
from planktonbench.reports.figures.style import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

TAXA = {"a": 30, "b": 60, "c": 90}
SUBCLASSES = pd.DataFrame(
    {
        "object_id": [f"o{k:04d}" for k in range(60)],
        "taxon": ["a"] * 10 + ["b"] * 20 + ["c"] * 30,
        "subclass": [0] * 10 + [0] * 5 + [1] * 15 + [k % 3 for k in range(30)],
    }
)
CHOSEN = {"subclasses": {"a": 1, "b": 2, "c": 3}, "subclasses_per_epoch": [3, 5, 6]}


def divided(track: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings of a run
    """Return the settings of a run with sub-classes."""
    return {"track": track, "taxa": TAXA, "chosen": CHOSEN, "subclasses": SUBCLASSES, **more}


def test_classes_with_most_sub_classes_come_first(make_section: Callable[..., Section]) -> None:
    """Sub-classes are sorted by size; undivided classes are not shown."""
    groups = SubClassesFound().picture_groups(make_section(divided("subclass-triplet")))

    assert [group.title for group in groups] == ["c: 30 training objects", "b: 20 training objects"]
    assert [strip.title for strip in groups[1].strips] == ["sub-class 1: 15 objects", "sub-class 2: 5 objects"]
    for group in groups:
        known = SUBCLASSES[SUBCLASSES["taxon"] == group.title[0]].set_index("object_id")["subclass"]
        for strip in group.strips:
            assert len(set(known[list(strip.object_ids)])) == 1
            assert len(set(strip.object_ids)) == min(PER_SUBCLASS, int(strip.title.split()[2]))


def test_the_run_of_the_papers_method_is_shown(make_section: Callable[..., Section]) -> None:
    """Although another track is better; the sentence names it and counts the sub-classes."""
    section = make_section(
        divided("gs-trs", wrong=0, chosen={"subclasses": {"a": 2, "b": 2, "c": 2}}), divided("subclass-only", wrong=9)
    )

    assert SubClassesFound().remarks(section, pd.DataFrame()) == [
        "lake · subclass-only · holdout.v1 · seed 0: 2 of 3 classes are divided, into 2 to 3 sub-classes, 6 in all."
    ]


def test_numbers_are_drawn_for_tracks_that_divide_classes(make_section: Callable[..., Section]) -> None:
    """One line for each run; a method without sub-classes has none."""
    section = make_section(
        divided("subclass-triplet"), divided("subclass-triplet", seed=1),
        {"track": "standard", "taxa": TAXA, "chosen": {"subclasses": dict.fromkeys("abc", 1),
         "subclasses_per_epoch": [3, 3, 3]}},
    )  # fmt: skip
    with style():
        figure = SubClassesFound().draw(section, pd.DataFrame())

    assert figure is not None
    assert [line.get_xydata().tolist() for line in figure.axes[0].lines] == [[[1, 3], [2, 5], [3, 6]]] * 2
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["subclass-triplet"]


def test_without_stored_sub_classes_there_are_no_images(make_section: Callable[..., Section]) -> None:
    """The reason is stated; a section in which no class is divided is left out."""
    section = make_section(divided("subclass-only", subclasses=None))

    assert SubClassesFound().applies(section)
    assert SubClassesFound().picture_groups(section) == []
    assert SubClassesFound().remarks(section, pd.DataFrame())[0].startswith("No run stored the sub-classes")


def test_it_does_not_apply_if_no_class_is_divided(make_section: Callable[..., Section]) -> None:
    """Cards may state one sub-class for every class, or nothing."""
    section = make_section({"taxa": TAXA, "chosen": {"subclasses": dict.fromkeys("abc", 1)}}, {"seed": 1, "taxa": TAXA})

    assert not SubClassesFound().applies(section)
    assert SubClassesFound().draw(section, pd.DataFrame()) is None
