"""Objectives of source 003: cross-entropy with triplet loss, and labels that are divided into sub-classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from ..networks.network import HEAD, embedding_model
from ..training.batches import PredictionBatches
from ..training.loop import predicted
from ..training.objective import Objective, cross_entropy, probabilities
from .cluster_limits import ClusterLimits
from .subclass_head import folded
from .subclasses import Subclasses, groups
from .triplet_loss import triplet_loss, two_level_triplet_loss
from .xmeans import x_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..training.batches import Examples
    from ..training.recipe import Recipe
    from ..training.trainer import TrainingData
    from .recipe import GroupRecipe, SubclassRecipe, TripletRecipe


class MetricObjective(Objective):
    """Cross-entropy of the logits, with or without a triplet loss of the embeddings (equation 2).

    Args:
        classifier: network that returns logits.
        recipe: options, among them those of the triplet loss; None for no triplet loss.

    """

    def __init__(self, classifier: keras.Model, recipe: TripletRecipe | None = None) -> None:
        super().__init__(classifier if recipe is None else _with_embeddings(classifier))
        self.classifier = classifier
        self.triplets = recipe
        self.n_outputs = classifier.output.shape[-1]

    def loss(self, recipe: Recipe) -> Any:  # noqa: ANN401, ARG002 - Keras losses have no common type; they have no options of the recipe
        """Return the loss of targets and outputs: logits, followed by embeddings if there is a triplet loss."""
        entropy = cross_entropy(reduction=None)  # of each row, for weights of rows
        if self.triplets is None:
            return lambda targets, logits: entropy(self.labels(targets), logits)

        def total(targets: Any, outputs: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
            logits, embeddings = outputs[:, : self.n_outputs], outputs[:, self.n_outputs :]
            return entropy(self.labels(targets), logits) + self.triplet_loss(targets, embeddings)

        return total

    def labels(self, targets: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        """Return the labels of the cross-entropy."""
        return targets

    def triplet_loss(self, targets: Any, embeddings: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        """Return the triplet loss across the labels of the cross-entropy."""
        options = self.triplets
        return triplet_loss(targets, embeddings, margin=options.margin, mining=options.mining)  # type: ignore[union-attr]  # only with options

    def probabilities(self, examples: Examples, *, views: bool = False) -> NDArray[np.float64]:
        """Return class probabilities, float64 of shape (n_objects, n_classes)."""
        return probabilities(self.classifier, examples, views=views)


def _with_embeddings(classifier: keras.Model) -> keras.Model:
    """Return a network that shares all layers and returns logits followed by embeddings."""
    return keras.Model(
        classifier.input, keras.layers.Concatenate()([classifier.output, classifier.get_layer(HEAD).input])
    )


class DividingObjective(MetricObjective, ABC):
    """Base class of objectives that divide classes after an epoch, by the embeddings of the training objects.

    Args:
        classifier: network that returns logits.
        data: training objects and their classes.
        most: largest number of sub-classes of a class.
        every: epochs between two divisions.
        recipe: options of the triplet loss; None for no triplet loss.

    Attributes:
        subclasses: present sub-classes of the training objects.
        totals: number of sub-classes of all classes that each epoch so far was trained with.

    """

    def __init__(
        self, classifier: keras.Model, data: TrainingData, *, most: int, every: int, recipe: TripletRecipe | None
    ) -> None:
        super().__init__(classifier, recipe)
        self.data = data
        self.every = every
        self.subclasses = Subclasses.undivided(data.y, len(data.codes), most)
        self.totals: list[int] = []

    def targets(self, y: NDArray[np.int64]) -> NDArray[np.int64]:  # noqa: ARG002 - the base class's signature
        """Return the label of each training object: class × most + sub-class."""
        self.totals.append(int(self.subclasses.counts.sum()))
        return self.subclasses.labels

    def after_epoch(self, false_negatives: NDArray[np.float64]) -> None:
        """Divide the classes if it is due."""
        self.adapt(false_negatives)
        if len(self.totals) % self.every == 0:
            self.divide_all()

    def divide_all(self) -> None:
        """Divide the classes by the embeddings of the present network."""
        features = predicted(embedding_model(self.classifier), PredictionBatches(self.data.train))
        self.divide(features, np.random.default_rng([self.data.seed, len(self.totals)]))

    def adapt(self, false_negatives: NDArray[np.float64]) -> None:
        """Adapt the limits to the result of an epoch."""

    @abstractmethod
    def divide(self, features: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Divide the classes by embeddings of the training objects, of shape (n_train, n_dimensions)."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return labels and history."""
        return {"labels": self.subclasses.labels, "totals": np.array(self.totals, np.int64)}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore labels and history."""
        self.subclasses = Subclasses(state["labels"], self.subclasses.n_classes, self.subclasses.most)
        self.totals = state["totals"].tolist()


class SubclassObjective(DividingObjective):
    """Sub-classes by X-Means, with limits that follow the false negatives (algorithm 1), as labels of all losses.

    The network ends in a `SubclassHead`.
    """

    def __init__(
        self, classifier: keras.Model, data: TrainingData, recipe: SubclassRecipe, triplets: TripletRecipe | None
    ) -> None:
        super().__init__(classifier, data, most=recipe.max_clusters, every=recipe.cluster_every, recipe=triplets)
        self.recipe = recipe
        self.limits = ClusterLimits.start(
            len(data.codes), threshold=recipe.confusion_threshold, most=recipe.max_clusters
        )

    def adapt(self, false_negatives: NDArray[np.float64]) -> None:
        """Raise or lower the limits."""
        self.limits = self.limits.updated(false_negatives)

    def divide(self, features: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Divide the classes by X-Means, and let the outputs of the network take over their weights."""
        clustering = partial(x_means, criterion=self.recipe.information)
        after = self.subclasses.divided(features, self.limits.limits, rng=rng, clustering=clustering)
        self.classifier.get_layer(HEAD).take_over(after.origins(self.subclasses), self.model.optimizer)
        self.subclasses = after

    def probabilities(self, examples: Examples, *, views: bool = False) -> NDArray[np.float64]:
        """Return class probabilities: those of the sub-classes, folded."""
        found = super().probabilities(examples, views=views)
        return np.asarray(folded(found, self.recipe.max_clusters, self.recipe.folding), np.float64)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return labels, history and limits."""
        return super().state() | {"limits": self.limits.limits, "falling": self.limits.falling}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore labels, history and limits."""
        super().restore(state)
        self.limits = ClusterLimits(state["limits"], state["falling"], self.limits.threshold, self.limits.most)


class GroupObjective(DividingObjective):
    """Cross-entropy of the classes, and triplets across classes and across the groups of each class (GS-TRS)."""

    triplets: GroupRecipe

    def __init__(self, classifier: keras.Model, data: TrainingData, recipe: GroupRecipe) -> None:
        super().__init__(classifier, data, most=recipe.clusters, every=recipe.cluster_every, recipe=recipe)

    def labels(self, targets: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        """Return the classes."""
        return ops.floor_divide(targets, self.subclasses.most)

    def triplet_loss(self, targets: Any, embeddings: Any) -> Any:  # noqa: ANN401 - as above
        """Return the loss across classes plus that across groups."""
        options = self.triplets
        return two_level_triplet_loss(
            self.labels(targets), targets, embeddings, margin=options.margin, group_margin=options.group_margin,
            mining=options.mining,
        )  # fmt: skip

    def divide(self, features: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Divide every class into the same number of groups by k-means."""
        limits = np.full(self.subclasses.n_classes, self.subclasses.most)
        self.subclasses = self.subclasses.divided(features, limits, rng=rng, clustering=groups)
