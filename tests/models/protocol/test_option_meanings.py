"""Meanings of options: every option of every shipped track has one, and descriptions do not repeat them."""

from __future__ import annotations

import pytest
from planktonbench.models.protocol.checks import options_of
from planktonbench.models.protocol.option_meanings import description, option_meanings
from planktonbench.models.protocol.track import Track
from planktonbench.models.registry import get_track, track_names


class Own(Track):
    """Track with two options, of which one is described.

    More about it.

    Args:
        first: what it means, on
            two lines.
        of_others: not an option.

    Attributes:
        name: name of the track.

    """

    def __init__(self, first: int = 1, second: int = 2) -> None:
        pass


@pytest.mark.parametrize("name", track_names())
def test_every_option_has_a_meaning(name: str) -> None:
    """In the docstring of the track, its recipe, or a class from which they inherit."""
    track = get_track(name)
    found = option_meanings(track)

    assert list(found) == list(options_of(track))
    assert all(found.values())


def test_meanings_are_those_of_the_docstring() -> None:
    """On one line; an option that is not described has an empty text."""
    assert option_meanings(Own) == {"first": "what it means, on two lines.", "second": ""}
    assert description(Own) == "Track with two options, of which one is described.\n\nMore about it."


def test_the_meaning_of_a_subclass_replaces_that_of_its_base() -> None:
    """`per_class` of fine-tuning, and that of other image tracks."""
    assert "smaller classes are oversampled" in option_meanings(get_track("imprint-mi-ft"))["per_class"]
    assert "per-class-limit" in option_meanings(get_track("cnn-best"))["per_class"]
