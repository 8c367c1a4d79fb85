"""Facts shared by the cards of all runs on a split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...reports.run_files.card import CardNote, CardSelection
from .environment import code_sha256, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.notes import Note
    from ...data_manifests.splits import Split
    from .settings import Settings


def card_facts(dataset: Dataset, split: Split, settings: Settings) -> dict[str, Any]:
    """Return the facts shared by the cards of all runs on a split."""
    return {
        "dataset": dataset.name,
        "manifest": "" if dataset.manifest.name == dataset.name else dataset.manifest.name,
        "manifest_sha256": dataset.manifest.sha256,
        "data_sha256": dataset.data_sha256,
        "data_citation": dataset.reference,
        "simulated": dataset.simulated,
        "classes": list(dataset.classes),
        "selected": _selection(dataset),
        "withheld": list(dataset.withheld),
        "split": split.name,
        "seed": split.seed,
        "n_train": split.count("train"),
        "n_valid": split.count("valid"),
        "n_test": split.count("test"),
        "quick": settings.quick,
        "truth_sha256": split.sha256,
        "code_sha256": code_sha256(),
        "created": now(),
    }


def _selection(dataset: Dataset) -> CardSelection | None:
    selected = dataset.selected
    return None if selected is None else CardSelection(of=selected.of, min_objects=selected.min_objects)


def card_notes(notes: Iterable[Note]) -> list[CardNote]:
    """Return notes in the form stored in a card."""
    return [CardNote(code=n.code, text=n.text, count=n.count, examples=list(n.examples)) for n in notes]
