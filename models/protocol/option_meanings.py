"""Meanings of the options of a track, from the docstrings of its classes."""

from __future__ import annotations

import inspect
import re
from itertools import chain
from typing import TYPE_CHECKING

from .checks import options_of

if TYPE_CHECKING:
    from .track import Track

SECTION = re.compile(r"^(?:Args|Attributes):\n(?P<items>(?:[ ]+\S.*\n?)+)", re.MULTILINE)
ITEM = re.compile(r"^    (?P<name>\w+): (?P<meaning>.+(?:\n {5,}\S.*)*)", re.MULTILINE)


def option_meanings(track: type[Track]) -> dict[str, str]:
    """Return what each option of a track means, in the order of the options.

    Meanings are those under `Args` or `Attributes` in the docstring of the track, its recipe (options of trained
    networks), or a class from which these inherit. An option without one has an empty text.
    """
    recipes = type(track.recipe).__mro__ if hasattr(track, "recipe") else ()
    found: dict[str, str] = {}
    for cls in chain(track.__mro__, recipes):
        for name, meaning in _items(cls).items():
            found.setdefault(name, meaning)
    return {name: found.get(name, "") for name in options_of(track)}


def description(track: type[Track]) -> str:
    """Return the docstring of a track without its options."""
    return SECTION.sub("", inspect.getdoc(track) or "").rstrip()


def _items(cls: type) -> dict[str, str]:
    """Return the entries of the sections of a docstring, each on one line."""
    text = inspect.cleandoc(cls.__doc__ or "")
    items = chain.from_iterable(ITEM.finditer(section["items"]) for section in SECTION.finditer(text))
    return {item["name"]: " ".join(item["meaning"].split()) for item in items}
