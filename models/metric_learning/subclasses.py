"""Sub-classes of training objects, which take the place of their classes as labels (source 003, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from ...data_manifests.errors import TrackError, listed
from .cluster_limits import MOST
from .xmeans import LARGEST_SEED, STARTS, by_size, check_rows, k_means, x_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1  # origin of an output that belongs to no sub-class


class ClassClustering(Protocol):
    """Division of the objects of one class, such as `x_means` or `groups`."""

    def __call__(self, rows: NDArray[np.floating], limit: int, /, *, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the cluster of each row, 0 to k - 1 with k at most the limit, none empty."""


def groups(rows: NDArray[np.floating], limit: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Divide rows by k-means into as many clusters as the limit allows, or as there are different rows (GS-TRS).

    Args:
        rows: of shape (n_rows, n_dimensions).
        limit: number of clusters.
        rng: starts of k-means++.

    Returns:
        Cluster of each row, int64 of shape (n_rows,), ordered by decreasing size.

    Raises:
        TrackError: rows are not finite.

    """
    check_rows(rows)
    centred = rows - rows.mean(axis=0)
    return by_size(k_means(centred, min(limit, len(rows)), seed=int(rng.integers(LARGEST_SEED)), starts=STARTS))


@dataclass(frozen=True)
class Subclasses:
    """Sub-classes of the training objects.

    Each class has `most` outputs of the network, of which those of its sub-classes are in use. The label of an object
    is the position of its output, `class * most + position in the class`. One epoch:

        after = subclasses.divided(features, limits.limits, rng=rng)
        head.take_over(after.origins(subclasses), model.optimizer)
        subclasses = after  # and train on subclasses.labels

    Attributes:
        labels: int64 of shape (n_objects,).
        n_classes: number of classes; each has objects.
        most: number of outputs of each class.

    """

    labels: NDArray[np.int64]
    n_classes: int
    most: int = MOST

    @classmethod
    def undivided(cls, codes: NDArray[np.int64], n_classes: int, most: int = MOST) -> Subclasses:
        """Return classes with one sub-class each.

        Args:
            codes: class codes from 0 to n_classes - 1, int64 of shape (n_objects,).
            n_classes: number of classes.
            most: largest number of sub-classes of a class.

        Raises:
            TrackError: a class has no objects.

        """
        empty = np.flatnonzero(np.bincount(codes, minlength=n_classes) == 0)
        if len(empty):
            message = (
                f"No training object has class code {listed(empty)}; expected objects for each code from 0 to "
                f"{n_classes - 1}. Number only the classes that have training objects."
            )
            raise TrackError(message)
        return cls(codes * most, n_classes, most)

    @property
    def classes(self) -> NDArray[np.int64]:
        """Class code of each object, of shape (n_objects,)."""
        return self.labels // self.most

    @property
    def within(self) -> NDArray[np.int64]:
        """Position of the sub-class of each object in its class, 0 to most - 1, of shape (n_objects,)."""
        return self.labels % self.most

    @property
    def active(self) -> NDArray[np.bool_]:
        """Which outputs belong to a sub-class, of shape (n_classes * most,)."""
        return np.bincount(self.labels, minlength=self.n_classes * self.most) > 0

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of sub-classes of each class, int64 of shape (n_classes,)."""
        return np.asarray(np.sum(self.active.reshape(self.n_classes, self.most), axis=1))

    def divided(
        self,
        features: NDArray[np.floating],
        limits: NDArray[np.int64],
        *,
        rng: np.random.Generator,
        clustering: ClassClustering = x_means,
    ) -> Subclasses:
        """Divide each class anew.

        A new sub-class takes the position of the present one with which it shares its objects, so that as many objects
        as possible keep their label (assignment problem, Kuhn 1955). The division of a class depends only on its own
        objects and on the generator.

        Args:
            features: embeddings, of shape (n_objects, n_dimensions).
            limits: largest number of sub-classes of each class, of shape (n_classes,).
            rng: random starts.
            clustering: `x_means` with its criterion, or `groups`.

        Returns:
            The sub-classes of the same objects.

        Raises:
            TrackError: limits are not in the range from 1 to `most`, or features are not finite.

        """
        if not ((limits >= 1) & (limits <= self.most)).all():
            message = (
                f"limits are {limits.min()} to {limits.max()}; expected numbers of sub-classes from 1 to {self.most}."
            )
            raise TrackError(message)
        labels = self.labels.copy()
        seeds = rng.integers(LARGEST_SEED, size=self.n_classes)
        with threadpool_limits(1):  # one thread: see x_means
            for code, (limit, seed) in enumerate(zip(limits, seeds, strict=True)):
                members = np.flatnonzero(self.classes == code)
                found = clustering(features[members], int(limit), rng=np.random.default_rng(seed))
                labels[members] = code * self.most + _matched(found, self.within[members], self.most)[found]
        return replace(self, labels=labels)

    def origins(self, before: Subclasses) -> NDArray[np.int64]:
        """Return for each output the one from which most of its objects come.

        Args:
            before: earlier sub-classes of the same objects.

        Returns:
            int64 of shape (n_classes * most,): for an output in use the earlier label of most of its objects, its own
            position if several are equally frequent and it is among them; `NONE` for an output not in use.

        """
        moves = np.zeros((len(self.active), len(self.active)), np.int64)
        np.add.at(moves, (self.labels, before.labels), 1)
        most_frequent = moves.argmax(axis=1)
        stays = moves.diagonal() == moves.max(axis=1)
        return np.where(self.active, np.where(stays, np.arange(len(moves)), most_frequent), NONE)


def _matched(found: NDArray[np.int64], present: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the position of each new cluster such that most objects keep their position, of shape (n_clusters,)."""
    shared = np.zeros((found.max() + 1, most), np.int64)
    np.add.at(shared, (found, present), 1)
    return np.asarray(linear_sum_assignment(shared, maximize=True)[1])
