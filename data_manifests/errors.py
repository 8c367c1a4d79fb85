"""The one tree of errors.

PlanktonbenchError
├── ManifestError    a manifest is wrong: file, field and value are named
├── SuiteError       a suite file or a command line is wrong
├── DataError        the files of a data set are wrong
├── SubmissionError  a predictions or truth file is wrong: its author's to mend
└── TrackError       a method breaks the track protocol, or is unknown

Every message says what is wrong with which value, what was expected, and what to do next.
Anything else that is raised is a fault of planktonbench itself.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PlanktonbenchError(Exception):
    """Something that the user can mend; the message says how."""


class ManifestError(PlanktonbenchError):
    """A manifest does not follow its schema, or there is none of that name."""


class SuiteError(PlanktonbenchError):
    """A suite file does not follow its schema, or asks for what does not exist."""


class DataError(PlanktonbenchError):
    """The files of a data set are missing, unreadable or contradict each other."""


class SubmissionError(PlanktonbenchError):
    """A predictions or truth file cannot be scored as it is."""


class TrackError(PlanktonbenchError):
    """A track is unknown, breaks the protocol, or returns what it must not."""


def listed(values: Iterable[object], limit: int = 10) -> str:
    """Name the first values and, when there are more, the count of all.

    >>> listed(range(12), limit=3)
    '0, 1, 2, … (12 in all)'
    """
    texts = [str(value) for value in values]
    if len(texts) <= limit:
        return ", ".join(texts)
    return ", ".join(texts[:limit]) + f", … ({len(texts):,} in all)"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known names are near a mistyped one, or else list what there is.

    >>> did_you_mean("xgb-natve", ["xgb-native", "random"])
    'Did you mean xgb-native?'
    """
    options = sorted(known)
    lowered = {option.lower(): option for option in options}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(lowered[match] for match in near)}?"
    return f"Known: {listed(options, 40)}." if options else "There are none."
