"""Context of a track: base runs by name, and contexts of inner tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench import TrackError
from planktonbench.data_manifests.seeds import RunSeeds, derived_seed
from planktonbench.models.clustering.kmeans import KmeansNative
from planktonbench.models.protocol.track import BaseRun, TrackContext

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench import Objects


def test_a_missing_base_run_is_named() -> None:
    """Near matches are suggested."""
    run = BaseRun("kmeans-native", KmeansNative, {}, None)
    context = TrackContext(base_runs={"kmeans-native": run})

    assert context.base_run("kmeans-native") is run
    with pytest.raises(TrackError, match=r"no base run of 'kmeans'.*Did you mean kmeans-native"):
        context.base_run("kmeans")


def test_a_model_is_restored_only_if_the_run_is_continued(tmp_path: Path) -> None:
    """Without a folder, the message says how to ask for it; with one, the class loads it with its options."""

    class Kept(KmeansNative):
        """Notes the folder."""

        def load(self, folder: Path) -> None:
            """Keep the folder."""
            self.chosen = {"folder": folder}

    run = BaseRun("kept", Kept, {"clusters": 3}, None, model_folder=tmp_path)
    restored = run.restored()

    assert (restored.chosen, restored.clusters) == ({"folder": tmp_path}, 3)  # type: ignore[attr-defined]
    with pytest.raises(TrackError, match=r"model of 'kept' is not at hand; name this track in continues"):
        replace(run, model_folder=None).restored()


def test_a_track_without_save_cannot_be_kept(tmp_path: Path) -> None:
    """The message says what to implement."""
    for act in (KmeansNative().save, KmeansNative().load):
        with pytest.raises(TrackError, match=r"'kmeans-native' cannot be kept in .*Implement both"):
            act(tmp_path)


def test_scores_of_a_clustering_are_refused_in_words(subsets: dict[str, Objects]) -> None:
    """A clustering has no scores that a fusion could use."""
    run = BaseRun("kmeans-native", KmeansNative, {}, None, pd.DataFrame())

    with pytest.raises(TrackError, match=r"Track 'kmeans-native' has no scores of classes"):
        run.log_probabilities(subsets["valid"])


def test_an_inner_track_has_a_folder_and_lines_of_its_own(tmp_path: Path) -> None:
    """Its lines begin with its label; outside a run there is no folder and no log."""
    lines: list[str] = []
    context = TrackContext(tmp_path, lines.append).nested("network 1 of 2")
    context.log("epoch 1")

    assert lines == ["network 1 of 2: epoch 1"]
    assert context.scratch == tmp_path / "network-1-of-2"
    assert context.scratch.is_dir()
    assert TrackContext().nested("alone").scratch is None


def test_inner_tracks_have_seeds_of_their_own() -> None:
    """Each label, purpose, data set, split and seed gives another stream; the same ones give the same."""
    seeds = RunSeeds("lake", "holdout.v1", 3)
    context = TrackContext(seeds=seeds.within("track"))
    others = [
        seeds, context.seeds, context.nested("one").seeds, context.nested("two").seeds, replace(seeds, seed=4),
        replace(seeds, split="kfold3.v1"), replace(seeds, dataset="bay"),
    ]  # fmt: skip

    drawn = [one.rng("fit").integers(2**62) for one in others] + [seeds.rng("init").integers(2**62)]

    assert len(set(drawn)) == len(drawn)
    assert context.nested("one").seeds.rng("fit").integers(2**62) == drawn[2]
    assert seeds.seed32("fit") == derived_seed(data_set="lake", split="holdout.v1", seed=3, purpose="fit") % 2**32
