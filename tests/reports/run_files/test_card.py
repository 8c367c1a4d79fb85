"""Run card: stored as JSON, compatible with earlier and later versions, rejected with its path if invalid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from planktonbench import DataError
from planktonbench.reports.run_files.card import CARD, Card, read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMISED = [
    "dataset", "manifest_sha256", "data_sha256", "track", "config", "split", "seed", "status", "reason", "n_train",
    "n_valid", "n_test", "classes", "fit_seconds", "predict_seconds", "prepare_seconds", "peak_rss_mb", "threads",
    "device", "quick", "track_sha256", "versions", "created",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """The folder of a run."""
    return add_run(tmp_path, config={"depth": 3, "missing": "keep"}, reason="Méduse")


def test_a_card_is_unchanged_by_writing_and_reading(folder: Path) -> None:
    """Keys are sorted, and letters outside ASCII are not escaped."""
    text = (folder / CARD).read_text("utf-8")
    card = read_card(folder)

    assert isinstance(card, Card)
    assert card.to_text() == text
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "Méduse" in text


def test_a_card_is_flat(folder: Path) -> None:
    """Every fact is a top-level key; the groups of the card in memory are not stored."""
    content = json.loads((folder / CARD).read_text("utf-8"))

    assert not {"data", "cost"} & content.keys()
    assert (content["track"], content["split"]) == ("good", "holdout.v1")
    assert (content["task"], content["labels"]) == ("classification", "all")


def test_keys_of_later_versions_are_ignored(folder: Path) -> None:
    """A card with an additional key is read as the same card."""
    known = read_card(folder)
    (folder / CARD).write_text(json.dumps(json.loads((folder / CARD).read_text("utf-8")) | {"colour": "blue"}))

    assert read_card(folder) == known


def test_keys_added_later_have_defaults(folder: Path) -> None:
    """A card with only the guaranteed keys can be read."""
    content = json.loads((folder / CARD).read_text("utf-8"))

    assert set(PROMISED) <= content.keys()

    (folder / CARD).write_text(json.dumps({name: content[name] for name in PROMISED}))
    card = read_card(folder)

    assert card is not None
    assert (card.notes, card.data.simulated, card.cost.machine) == ([], False, "")


def test_a_folder_without_a_card_has_none(tmp_path: Path) -> None:
    """An unfinished run is not an error."""
    assert read_card(tmp_path) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda _: "[]",
        lambda text: text.replace('"done"', '"dnoe"'),
        lambda text: text.replace('"seed": 0', '"seed": "zero"'),
        lambda text: text.replace('"track"', '"trakc"'),
    ],
    ids=["truncated", "empty", "list", "status", "seed", "key"],
)
def test_an_invalid_card_is_reported(folder: Path, damage: Callable[[str], str]) -> None:
    """The message has the path and what to do."""
    path = folder / CARD
    path.write_text(damage(path.read_text("utf-8")))
    with pytest.raises(DataError) as caught:
        read_card(folder)

    assert str(caught.value).startswith(f"{path} is not a valid run card: ")
    assert str(caught.value).endswith("Delete its folder and rerun.")
