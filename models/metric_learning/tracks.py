"""Tracks of source 003: a standard network, triplet loss, sub-classes, both, and GS-TRS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image_tracks.convolutional import PretrainedTrack
from .recipe import GroupRecipe, MetricRecipe, SubclassRecipe, SubclassTripletRecipe, TripletRecipe

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..training.trainer import TrainingData
    from .objectives import DividingObjective, MetricObjective

SOURCE = "Tackling inter-class similarity and intra-class variance (source 003)"
PAPER: dict[str, Any] = {
    "backbone": "resnet50", "embedding": 256, "side": 256, "channels": "grey", "epochs": 100, "minutes": 24 * 60,
    "batch": 128, "learning_rate": 2e-4, "schedule": "constant", "imbalance": "none",
}  # fmt: skip
"""Values of section 4.4 and, where it states none, those that `MetricRecipe` describes."""


class MetricTrack(PretrainedTrack):
    """Base class of the tracks of source 003: a backbone, a linear embedding, and a fully connected last layer."""

    source = SOURCE
    recipe: MetricRecipe = MetricRecipe(**PAPER)

    def design(self) -> Design:
        """Return the backbone with an embedding."""
        from keras import layers

        from ..networks.architectures import backbone

        def neck(features: Any, _: object) -> Any:  # noqa: ANN401 - Keras tensors have no type
            return layers.Dense(self.recipe.embedding, dtype="float32", name="embedding")(features)

        return replace(backbone(self.recipe), neck=neck)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train the network; the epoch that is best on validation rows is kept."""
        data, dropout_seed = self._training_data(train, valid, rng)
        self._model = self._network(data.train, dropout_seed)
        objective = self._objective(self._model, data)
        self._train(data, objective)
        names = [train.classes[code] for code in self._codes]
        self.chosen = {**(self.chosen or {}), **self._divisions(objective, names)}

    def _objective(self, network: keras.Model, data: TrainingData) -> MetricObjective:  # noqa: ARG002 - for divided classes
        """Return the cross-entropy, with triplet loss if the recipe has its options."""
        from .objectives import MetricObjective

        return MetricObjective(network, self.recipe if isinstance(self.recipe, TripletRecipe) else None)

    def _divisions(self, objective: MetricObjective, names: list[str]) -> dict[str, Any]:  # noqa: ARG002 - for divided classes
        """Return the number of sub-classes of each class, for the card."""
        return {"subclasses": dict.fromkeys(names, 1)}

    def embeddings(self, objects: Objects) -> None:
        """Return None: embeddings are not stored with the run; those of kept models can be computed again."""


class Standard(MetricTrack):
    """Cross-entropy alone."""

    name = "standard"


class TripletOnly(MetricTrack):
    """Cross-entropy plus triplet loss (equation 2), without sub-classes."""

    name = "triplet-only"
    recipe: TripletRecipe = TripletRecipe(**PAPER)


class SubclassOnly(MetricTrack):
    """Sub-classes by X-Means, which are divided anew after each epoch (algorithm 1), and cross-entropy."""

    name = "subclass-only"
    recipe: SubclassRecipe = SubclassRecipe(**PAPER)

    def design(self) -> Design:
        """Return the network with outputs for sub-classes."""
        from ..networks.network import HEAD
        from .subclass_head import SubclassHead

        def head(n_classes: int, _: object) -> keras.Layer:
            return SubclassHead(n_classes, self.recipe.max_clusters, dtype="float32", name=HEAD)

        return replace(super().design(), head=head)

    def _objective(self, network: keras.Model, data: TrainingData) -> DividingObjective:
        from .objectives import SubclassObjective

        triplets = self.recipe if isinstance(self.recipe, TripletRecipe) else None
        return SubclassObjective(network, data, self.recipe, triplets)

    def _divisions(self, objective: DividingObjective, names: list[str]) -> dict[str, Any]:  # type: ignore[override]  # from `_objective`
        from ..networks.network import HEAD

        active = np.asarray(self._model.get_layer(HEAD).active).reshape(len(names), -1) > 0  # at the kept epoch
        counts = dict(zip(names, active.sum(axis=1).tolist(), strict=True))
        return {"subclasses": counts, "subclasses_per_epoch": objective.totals}

    def subclasses(self, train: Objects) -> NDArray[np.int64]:
        """Return the most probable sub-class of each training object among those of its class."""
        from ..training.batches import PredictionBatches
        from ..training.loop import predicted

        logits = predicted(self._model, PredictionBatches(self._examples(train)))
        within = logits.reshape(len(train), len(self._codes), -1)
        own = within[np.arange(len(train)), np.searchsorted(self._codes, train.y)]
        return np.asarray(own.argmax(axis=1))

    def load(self, folder: Path) -> None:
        """Read the network; see `ImageTrack.load`."""
        from . import subclass_head  # noqa: F401 - registers its layer

        super().load(folder)

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the probabilities of classes, summed over sub-classes; 0 for classes without training rows."""
        from ..training.objective import probabilities
        from .subclass_head import folded

        found = probabilities(self._model, self._examples(objects), views=self.recipe.views)
        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._codes] = folded(found, self.recipe.max_clusters, self.recipe.folding)
        return scores


class SubclassTriplet(SubclassOnly):
    """Sub-classes and triplet loss, the method of the paper."""

    name = "subclass-triplet"
    recipe: SubclassTripletRecipe = SubclassTripletRecipe(**PAPER)


class GroupSensitiveTriplets(MetricTrack):
    """GS-TRS: groups of every class by k-means, triplets across classes and across groups.

    Groups are formed after each epoch; in the first, there are triplets across classes only.
    """

    name = "gs-trs"
    source = "Em et al. 2017, ICME (arXiv 1703.00196), of which the abstract alone was at hand; after source 003"
    recipe: GroupRecipe = GroupRecipe(**PAPER)

    def _objective(self, network: keras.Model, data: TrainingData) -> DividingObjective:
        from .objectives import GroupObjective

        return GroupObjective(network, data, self.recipe)

    def _divisions(self, objective: DividingObjective, names: list[str]) -> dict[str, Any]:  # type: ignore[override]  # from `_objective`
        objective.divide_all()  # those of the kept epoch: the last groups are of another network
        counts = dict(zip(names, objective.subclasses.counts.tolist(), strict=True))
        self._groups = objective.subclasses.within
        return {"subclasses": counts, "subclasses_per_epoch": objective.totals}

    def subclasses(self, train: Objects) -> NDArray[np.int64]:  # noqa: ARG002 - their groups are known, in this order
        """Return the group of each training object in the embedding of the kept epoch."""
        return self._groups

    _groups: NDArray[np.int64]
