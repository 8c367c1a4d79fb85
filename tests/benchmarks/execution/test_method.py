"""Method: labels that reach it, and the hash of everything that its results depend on."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
from planktonbench import TrackError
from planktonbench.benchmarks.execution import method as module
from planktonbench.benchmarks.execution.method import Method
from planktonbench.models.clustering.kmeans import KmeansNative
from planktonbench.models.table_tracks.baselines import Majority
from planktonbench.reports.tasks import clustering

KMEANS = Method("kmeans-native", KmeansNative, "kmeans-native", {})
MAJORITY = Method("majority", Majority, "majority", {})


def test_a_method_sees_the_labels_of_its_base_models() -> None:
    """A clustering receives none, unless it is built on a track that does."""
    assert (KMEANS.labels, MAJORITY.labels) == ("none", "all")
    assert replace(KMEANS, base_methods=(KMEANS,)).labels == "none"
    assert replace(KMEANS, base_methods=(KMEANS, MAJORITY)).labels == "all"


def test_changed_code_of_the_task_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of the task names clusters and stores them, so that it belongs to the hash."""
    before, other = KMEANS.sha256, MAJORITY.sha256
    edited = tmp_path / "clustering.py"
    edited.write_text(Path(inspect.getfile(clustering)).read_text("utf-8") + "\n# edited\n", "utf-8")
    monkeypatch.setattr(
        module.inspect, "getfile", lambda one: edited if one is clustering.Clustering else one_file(one), raising=True
    )

    assert replace(KMEANS).sha256 != before
    assert replace(MAJORITY).sha256 == other


def test_a_method_knows_the_run_that_it_continues() -> None:
    """By the name of that run, under whatever reference the track names it; it is one of its base runs."""
    further = type("Further", (Majority,), {"continues": "mine.py:Base", "base_models": ("kmeans-native",)})
    base = replace(MAJORITY, name="base")
    method = Method("further", further, "further", {}, base_methods=(KMEANS, base))

    assert method.base_models == ("kmeans-native", "mine.py:Base")
    assert (method.continues, method.continued_run) == ("mine.py:Base", "base")
    assert (MAJORITY.continues, MAJORITY.continued_run, MAJORITY.base_models) == ("", "", ())


one_file = inspect.getfile


def test_an_unknown_task_is_an_error() -> None:
    """Near matches are suggested."""
    lost = type("Lost", (KmeansNative,), {"task": "clusterin"})

    with pytest.raises(TrackError, match="clustering"):
        _ = Method("lost", lost, "", {}).task
