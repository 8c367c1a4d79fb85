"""Exceptions.

PlanktonbenchError
├── ManifestError    a manifest is invalid; the message names file, field and value
├── SuiteError       a suite file or a command line is invalid
├── DataError        the files of a data set are invalid
├── SubmissionError  a predictions or truth file is invalid
└── TrackError       a method is unknown or violates the track protocol

Every message states the invalid value, what was expected, and what to do next.
Any other exception is a bug in planktonbench.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PlanktonbenchError(Exception):
    """Base class of errors that users can fix; the message explains how."""


class ManifestError(PlanktonbenchError):
    """A manifest does not exist or does not follow its schema."""


class SuiteError(PlanktonbenchError):
    """A suite file does not follow its schema, or refers to something that does not exist."""


class DataError(PlanktonbenchError):
    """The files of a data set are missing, unreadable or contradict each other."""


class SubmissionError(PlanktonbenchError):
    """A predictions or truth file cannot be scored."""


class TrackError(PlanktonbenchError):
    """A track is unknown, violates the protocol, or returns invalid values."""


def listed(values: Iterable[object], limit: int = 10) -> str:
    """Join values with commas; beyond `limit`, replace the rest with the total count.

    >>> listed(range(12), limit=3)
    '0, 1, 2, … (12 in all)'
    """
    texts = [str(value) for value in values]
    if len(texts) <= limit:
        return ", ".join(texts)
    return ", ".join(texts[:limit]) + f", … ({len(texts):,} in all)"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests names similar to a mistyped one, or lists all known names.

    >>> did_you_mean("xgb-natve", ["xgb-native", "random"])
    'Did you mean xgb-native?'
    """
    options = sorted(known)
    lowered = {option.lower(): option for option in options}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(lowered[match] for match in near)}?"
    return f"Known: {listed(options, 40)}." if options else "There are none."
