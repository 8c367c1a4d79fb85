"""Options of the tracks of source 003, with its values as defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..training.recipe import EmbeddingRecipe
from .choices import Criterion, Folding, Mining  # noqa: TC001 - get_type_hints needs them


@dataclass(frozen=True, kw_only=True)
class MetricRecipe(EmbeddingRecipe):
    """The options of a training of source 003, section 4.4.

    The paper states neither number of epochs, augmentation, class weights nor criterion; here they are those of most
    image tracks, without class weights.
    """


@dataclass(frozen=True, kw_only=True)
class TripletRecipe(MetricRecipe):
    """The options of a training with triplet loss.

    Attributes:
        margin: margin of the triplet loss (0.7 as in the first author's later code; the paper states none).
        mining: `batch-hard`, `batch-all` or `semi-hard`, see `triplet_loss` (batch-hard as in that code).

    """

    least: ClassVar[dict[str, float]] = {**MetricRecipe.least, "margin": 0}

    margin: float = 0.7
    mining: Mining = "batch-hard"


@dataclass(frozen=True, kw_only=True)
class SubclassRecipe(MetricRecipe):
    """The options of a training with sub-classes.

    Attributes:
        confusion_threshold: share of false negatives on validation rows above which the limit of a class changes.
        max_clusters: largest number of sub-classes of a class.
        cluster_every: epochs between two divisions (1 in the paper).
        information: criterion of X-Means, `bic` or `aic`; the paper names both.
        folding: how probabilities of sub-classes become those of classes, `sum` or `largest`, see `folded`.

    """

    least: ClassVar[dict[str, float]] = {
        **MetricRecipe.least, "confusion_threshold": 0, "max_clusters": 1, "cluster_every": 1,
    }  # fmt: skip

    confusion_threshold: float = 0.3
    max_clusters: int = 5
    cluster_every: int = 1
    information: Criterion = "bic"
    folding: Folding = "sum"


@dataclass(frozen=True, kw_only=True)
class SubclassTripletRecipe(SubclassRecipe, TripletRecipe):
    """The options of a training with sub-classes and triplet loss."""

    least: ClassVar[dict[str, float]] = {**SubclassRecipe.least, **TripletRecipe.least}


@dataclass(frozen=True, kw_only=True)
class GroupRecipe(TripletRecipe):
    """The options of GS-TRS, of which only the abstract is public; see `two_level_triplet_loss`.

    Attributes:
        clusters: number of groups of each class, by k-means.
        group_margin: margin of the triplet loss across the groups of a class.
        cluster_every: epochs between two divisions.

    """

    least: ClassVar[dict[str, float]] = {
        **TripletRecipe.least, "clusters": 1, "group_margin": 0, "cluster_every": 1,
    }  # fmt: skip

    clusters: int = 3
    group_margin: float = 0.35
    cluster_every: int = 1
