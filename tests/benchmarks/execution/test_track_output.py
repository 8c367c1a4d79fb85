"""Output of a track as frames: everything returns, and nothing that is unknown is accepted."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.execution.track_output import TrackFacts, TrackOutput
from planktonbench.data_manifests.errors import TrackError
from pydantic import ValidationError

FACTS = TrackFacts.of(status="done", device="cpu", chosen={"limit": float("nan")}, trials=[{"seconds": 1}], n_trials=1)


def test_an_output_returns_from_its_frames() -> None:
    """Facts with a missing number, arrays of all shapes, and the table that there is."""
    arrays = {"test": np.eye(3, dtype=np.float32), "valid": np.arange(4), "embeddings-train": np.zeros((0, 2))}
    table = pd.DataFrame({"feature": ["area"], "gain": [0.5]})
    found = TrackOutput.read(TrackOutput(FACTS, arrays, {"importance.parquet": table}).frames())

    assert repr(found.facts) == repr(FACTS)
    assert list(found.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)
    assert list(found.tables) == ["importance.parquet"]
    pd.testing.assert_frame_equal(found.tables["importance.parquet"], table)


def test_an_output_without_results() -> None:
    """It has facts alone."""
    found = TrackOutput.read(TrackOutput(TrackFacts.of(status="failed", reason="boom")).frames())

    assert (found.facts.status, found.facts.reason, found.arrays, found.tables) == ("failed", "boom", {}, {})


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"device": 5}, "device is 5: Input should be a valid string"),
        ({"chosen": [1, 2]}, r"chosen is \[1, 2\]: Input should be a valid dictionary"),
        ({"chosen": {(1, 2): 3}}, "keys must be str, int, float, bool or None, not tuple"),
        ({"trials": [{"seconds": "long"}]}, r"trials\.0\.seconds is 'long'"),
        ({"status": "perfect"}, "status is 'perfect'"),
    ],
)
def test_facts_that_no_card_can_store(facts: dict[str, object], problem: str) -> None:
    """The message has the attribute and its value."""
    with pytest.raises(TrackError, match=f"The card cannot store what the track has set: {problem}"):
        TrackFacts.of(**{"status": "done", **facts})


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"feature": ["area"]}, "it is dict; expected a pandas.DataFrame, or None"),
        (pd.DataFrame({"feature": ["area", 1]}), r".*got a 'int' object.*Expected text or numbers"),
    ],
)
def test_tables_that_cannot_be_stored(table: object, problem: str) -> None:
    """The message has the file and the reason."""
    with pytest.raises(TrackError, match=f"The table preparation.parquet of the track cannot be stored: {problem}"):
        TrackOutput(FACTS, {}, {"preparation.parquet": table}).frames()  # type: ignore[dict-item]


def test_unknown_content_is_not_accepted() -> None:
    """Neither other facts, nor other tables, nor pickled arrays."""
    facts, arrays, *tables = TrackOutput(FACTS).frames()
    pickled = io.BytesIO()
    np.savez(pickled, test=np.array([{}], dtype=object))

    with pytest.raises(ValidationError, match="created"):
        TrackOutput.read([json.dumps(json.loads(facts) | {"created": "yesterday"}).encode(), arrays, *tables])
    with pytest.raises(ValueError, match="is longer than"):
        TrackOutput.read([facts, arrays, *tables, b"../card.json"])
    with pytest.raises(ValueError, match="allow_pickle=False"):
        TrackOutput.read([facts, pickled.getvalue(), *tables])
