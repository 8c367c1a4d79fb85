"""Labelled objects whose classes are hidden from example mining, as embeddings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, did_you_mean
from ...data_manifests.files.tables import read_table
from ...models.protocol.threads import available_cores
from ...reports.run_files.card import read_card
from ...reports.run_files.run_folder import truth_path
from ..console.progress import counting
from ..planning.prepared_images import source_of_dataset
from .simulated_annotator import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset
    from ...features.network_images.store import StoredNetworkImages
    from ...models.imprinting.embedder import Embedder

FEWEST = max(EXAMPLES) + 10  # objects of a hidden class
LARGER = 2  # times as many objects has the class in which another one is hidden, at least
SIMULATED = 2000


@dataclass(frozen=True, eq=False)
class EmbeddedObjects:
    """Labelled objects as embeddings.

    Attributes:
        taxa: taxon of each object, text array of shape (n_objects,).
        embeddings: float32 of shape (n_objects, n_dimensions).
        embedder: the network.
        unseen: classes that the network has not seen in training; None for all.

    """

    taxa: NDArray[np.object_]
    embeddings: NDArray[np.float32]
    embedder: Embedder
    unseen: frozenset[str] | None = None

    def candidates(self) -> list[str]:
        """Return the classes that can be hidden: those with `FEWEST` objects that the network has not seen, sorted."""
        names, counts = np.unique(self.taxa.astype(str), return_counts=True)
        return [
            str(name)
            for name, count in zip(names, counts, strict=True)
            if count >= FEWEST and (self.unseen is None or name in self.unseen)
        ]

    def most_similar(self, taxon: str) -> str | None:
        """Return the class whose mean embedding is most similar, of those `LARGER` times as large; None without one."""
        plain = self.embeddings / np.linalg.norm(self.embeddings, axis=1, keepdims=True)
        names, counts = np.unique(self.taxa.astype(str), return_counts=True)
        large = names[counts >= LARGER * (self.taxa == taxon).sum()]
        if not len(large):
            return None
        means = np.stack([plain[self.taxa == name].mean(axis=0) for name in large])
        cosines = means @ plain[self.taxa == taxon].mean(axis=0) / np.linalg.norm(means, axis=1)
        return str(large[int(cosines.argmax())])


def embedded_objects(
    dataset: Dataset, model: Path | None, *, side: int | None = None, most: int | None = None
) -> EmbeddedObjects:
    """Embed the objects of a data set.

    Args:
        dataset: data set with images.
        model: folder of a kept run, whose test objects and all objects of unseen classes are used; None for
            EfficientNet-Lite0 and all objects.
        side: side of the images in pixels for EfficientNet-Lite0; None for its default.
        most: largest number of objects, drawn at random; None for all.

    """
    from ...features.network_images.store import stored_network_images
    from ...models.imprinting.embedder import PRETRAINED, kept_embedder, pretrained_embedder

    if dataset.images is None:
        message = f"{dataset.folder} has no images; expected a data set with images."
        raise SystemExit(message)
    recipe = PRETRAINED if side is None else replace(PRETRAINED, side=side)
    embedder = kept_embedder(model) if model else pretrained_embedder(source_of_dataset(dataset), recipe)
    with counting("reading images", len(dataset.images), "images") as advance:
        images = stored_network_images(
            dataset.images, embedder.form, embedder.source, jobs=available_cores(), advance=advance
        )
    objects, unseen = dataset.objects[["object_id", "taxon"]], None
    if model:
        tested, unseen = unseen_by(model)
        objects = objects[objects["object_id"].isin(tested) | objects["taxon"].isin(unseen)]
    objects = objects[objects["object_id"].isin(set(images.object_ids))]
    if most is not None and most < len(objects):
        objects = objects.sample(most, random_state=0)
    embeddings = _embedded(embedder, images, objects["object_id"].tolist())
    return EmbeddedObjects(objects["taxon"].to_numpy(object), embeddings, embedder, unseen)


def unseen_by(run: Path) -> tuple[set[str], frozenset[str]]:
    """Return the test objects of a run, and those of their classes that were absent from training and validation.

    Raises:
        SystemExit: the folder is no run in a results folder.

    """
    folder = run.absolute()
    card = read_card(folder)
    if card is None:
        message = f"{run} is not the folder of a run; expected OUT/runs/DATASET/TRACK/SPLIT/seed-K."
        raise SystemExit(message)
    path = truth_path(folder.parents[4], card.data.name, card.split.name, card.split.seed)
    truth = read_table(path, DataError)
    is_test = truth["part"] == "test"
    return set(truth.loc[is_test, "object_id"]), frozenset(truth["taxon"]) - frozenset(truth.loc[~is_test, "taxon"])


def _embedded(embedder: Embedder, images: StoredNetworkImages, object_ids: Sequence[str]) -> NDArray[np.float32]:
    """Return the embeddings of objects; those of whole data sets are cached."""
    from ...models.imprinting.embedding_store import ROWS_AT_ONCE, stored_embeddings

    with counting("embedding images", len(object_ids), "images") as advance:
        if len(object_ids) == len(images):
            return stored_embeddings(embedder, images, advance=advance)[images.rows(object_ids)]
        blocks = []
        for start in range(0, len(object_ids), ROWS_AT_ONCE):
            blocks.append(embedder.embed(images, object_ids[start : start + ROWS_AT_ONCE]))
            advance(len(blocks[-1]))
        return np.concatenate(blocks)


def hidden_classes(objects: EmbeddedObjects, names: str | None, most: int) -> list[str]:
    """Return the classes to hide: those named, or at most so many of the candidates, drawn at random.

    Raises:
        SystemExit: a class is not among the candidates, or there are none.

    """
    candidates = objects.candidates()
    if not candidates:
        message = f"No class can be hidden; expected some with {FEWEST} objects, absent from the training of --model."
        raise SystemExit(message)
    if names is None:
        drawn = np.random.default_rng(0).permutation(len(candidates))[:most]
        return [candidates[position] for position in sorted(drawn)]
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in candidates]
    if unknown:
        message = f"--classes: '{unknown[0]}' cannot be hidden. {did_you_mean(unknown[0], candidates)}"
        raise SystemExit(message)
    return wanted


def simulated(folder: Path) -> Path:
    """Draw a simulated data set, and return its folder."""
    from ...data_manifests.simulation.simulate import simulate
    from ...features.measured.challenge import CHALLENGE_TABLE

    return simulate("flowcam", folder, CHALLENGE_TABLE, objects=SIMULATED, seed=0, jobs=available_cores())
