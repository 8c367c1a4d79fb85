"""Selection of classes, and messages about impossible ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.class_selection.selection import ClassSelection
from planktonbench.data_manifests.errors import SuiteError

COUNTS = {"Copepoda": 40, "detritus": 130, "egg": 20, "Retaria": 10}
WHERE = "Data set 'five' (/data/pond)"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (ClassSelection(), ["Copepoda", "Retaria", "detritus", "egg"]),
        (ClassSelection(classes=("egg", "Copepoda")), ["Copepoda", "egg"]),
        (ClassSelection(min_objects=20), ["Copepoda", "detritus", "egg"]),
        (ClassSelection(min_objects=21), ["Copepoda", "detritus"]),
        (ClassSelection(("egg", "Retaria", "detritus"), 20), ["detritus", "egg"]),
        (ClassSelection(withhold=("egg", "Retaria")), ["Copepoda", "Retaria", "detritus", "egg"]),
    ],
)
def test_classes_are_chosen_by_name_and_size(selection: ClassSelection, expected: list[str]) -> None:
    """Both conditions apply; withheld classes are among the chosen ones."""
    assert list(selection.chosen(COUNTS, WHERE)) == expected


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 9), min_size=2), st.integers(1, 9))
def test_a_number_of_objects_selects_exactly_the_large_classes(counts: dict[str, int], fewest: int) -> None:
    """If at least two are large enough; the order of the counts does not matter."""
    large = sorted(name for name, count in counts.items() if count >= fewest)
    selection = ClassSelection(min_objects=fewest)

    if len(large) > 1:
        assert list(selection.chosen(counts, WHERE)) == large
        assert selection.chosen(dict(reversed(counts.items())), WHERE) == tuple(large)
    else:
        with pytest.raises(SuiteError, match="all that remains for training"):
            selection.chosen(counts, WHERE)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (
            ClassSelection(classes=("Copepods", "egg")),
            [WHERE, "classes names what is not a class of it: Copepods.", "Did you mean Copepoda?"],
        ),
        (
            ClassSelection(withhold=("eg", "retaria", "whale")),
            [
                "withhold names",
                "eg, retaria, whale.",
                "eg: Did you mean egg?",
                "retaria: Did you mean Retaria?",
                "Known:",
            ],
        ),
        (
            ClassSelection(classes=("egg", "Copepoda"), withhold=("detritus",)),
            [
                "withhold names classes that are not selected: detritus (130 objects).",
                "the 2 classes that 'classes'",
            ],
        ),
        (
            ClassSelection(min_objects=15, withhold=("Retaria",)),
            ["not selected: Retaria (10 objects).", "'classes' and min_objects 15 select"],
        ),
        (
            ClassSelection(withhold=tuple(COUNTS)),
            ["no class would be all that remains for training: of 4 classes, 4 are selected and 4 of these withheld."],
        ),
        (
            ClassSelection(classes=("egg", "Copepoda"), withhold=("egg",)),
            [
                "Copepoda would be all that remains",
                "of 4 classes, 2 are selected and 1 of these withheld.",
                "least 2",
            ],
        ),
        (ClassSelection(min_objects=1000), ["no class would be all that remains", "0 are selected"]),
    ],
)
def test_impossible_selections_are_explained(selection: ClassSelection, words: list[str]) -> None:
    """The message names data set, key and classes, and what was expected; unknown names get near matches."""
    with pytest.raises(SuiteError) as fault:
        selection.chosen(COUNTS, WHERE)

    assert [word for word in words if word not in str(fault.value)] == []
