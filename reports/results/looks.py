"""Number of evaluations of the test objects of a section: stored runs, replaced runs, and submitted files.

Each evaluation reveals something about the test objects to whoever chooses between methods or versions of a method, so
the more there were, the less the best score says about new objects (Dwork et al. 2015, doi:10.1126/science.aaa9375).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError, listed
from ..run_files.card import CARD, read_card
from ..run_files.run_folder import REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..run_files.card import Card
    from .section import Section

LOOKS = "looks.csv"
COLUMNS = ("dataset", "split", "track", "stored", "replaced", "submitted", "versions")


def looks_table(sections: Sequence[Section]) -> pd.DataFrame:
    """Count the evaluations of test objects by section and track, including tracks of which only replaced runs remain.

    Returns:
        `COLUMNS`: `stored` is the number of finished runs, `replaced` that of finished runs that were moved to
        `replaced/`; `submitted` of both are predictions files. `versions` is the number of different source codes,
        options, features, base runs and budgets or, of predictions files, of different contents.

    """
    rows = []
    for section in sections:
        stored = [run.card for run in section.runs if run.card.status == "done"]
        replaced = list(_replaced(section))
        for track in dict.fromkeys(card.track.name for card in [*stored, *replaced]):
            now, before = ([card for card in cards if card.track.name == track] for cards in (stored, replaced))
            both = [*now, *before]
            submitted = sum(card.track.is_submitted for card in both)
            versions = len(set(map(_version, both)))
            rows.append((section.dataset, section.split, track, len(now), len(before), submitted, versions))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def in_words(section: Section) -> str:
    """Summarise the evaluations of a section in sentences."""
    table = looks_table([section])
    stored, replaced, submitted = (int(table[name].sum()) for name in ("stored", "replaced", "submitted"))
    text = f"Test objects were evaluated {_times(stored + replaced)} in this results folder: {_runs(stored, 'stored')}"
    text += f" and {_runs(replaced, 'replaced')}" if replaced else ""
    if submitted:
        one = submitted == 1
        text += f", of which {submitted} {'was a submitted file' if one else 'were submitted files'} of predictions"
    several = table[table["versions"] > 1]
    names = listed(f"{row.track} ({row.versions})" for row in several.itertuples())
    versions = f" Tracks evaluated in several versions: {names}." if names else ""
    return f"{text}.{versions} Evaluations elsewhere are not counted."


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def _runs(n: int, kind: str) -> str:
    return f"{n:,} {kind} run{'' if n == 1 else 's'}"


def _replaced(section: Section) -> Iterator[Card]:
    """Yield the cards of the finished runs of a section that have been replaced."""
    folder = section.runs[0].out / REPLACED / section.dataset
    for path in sorted(folder.glob(f"*/*/*/{CARD}")):
        card = _readable(path.parent)
        if card is not None and card.status == "done" and card.split.plan == section.split:
            yield card


def _readable(folder: Path) -> Card | None:
    try:
        return read_card(folder)
    except DataError:
        return None


def _version(card: Card) -> str:
    """Return everything that makes a version of a method, except data, split and seed."""
    track = card.track
    facts = [track.sha256, track.config, track.features, track.base_runs, card.quick]
    return json.dumps(facts, sort_keys=True, default=str)
