"""The report's page: one HTML file that opens by double click and loads nothing."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import jinja2

from .. import __version__

if TYPE_CHECKING:
    from .sections import Section

BAR_WIDTH = 220  # pixels of the drawn scale from 0 to 1


def render(sections: list[tuple[Section, dict[str, str]]]) -> str:
    """Return the page.

    Args:
        sections: results to show, each with its figures: name to data address.

    """
    return _template().render(sections=sections, version=__version__, width=BAR_WIDTH)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "seconds": seconds}
    return environment.get_template("report.html.j2")


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with fixed digits; a dash when there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """Write seconds as a person would."""
    if value is None or math.isnan(value):
        return "–"
    if value < 0.001:  # noqa: PLR2004 - a millisecond
        return "<1 ms"
    steps = ((1000, "ms", 0, 1000), (1, "s", 1, 10), (1, "s", 0, 120), (1 / 60, "min", 1, math.inf))
    return next(
        f"{value * factor:.{digits}f} {unit}"
        for factor, unit, digits, below in steps
        if round(value * factor, digits) < below
    )
