"""Triplet losses: embeddings of a class are pulled together, those of different classes are pushed apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from keras import ops

from ...data_manifests.errors import TrackError, did_you_mean
from .choices import Mining

if TYPE_CHECKING:
    from collections.abc import Callable

MARGIN = 0.7
GROUP_MARGIN = 0.35
FAR = 1e30
ROUNDING = 1e-6  # squared distances up to this share of the sum of the squared norms are rounding errors


def triplet_loss(labels: Any, embeddings: Any, *, margin: float = MARGIN, mining: Mining = "batch-hard") -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return the mean triplet loss of a batch, with the triplets that the mining chooses.

    The loss of an anchor a, a positive p of its class and a negative n of another class is
    max(‖f(a) - f(p)‖ - ‖f(a) - f(n)‖ + margin, 0), with the Euclidean distance of embeddings that are not normalised
    (source 003, equation 1). The paper states neither margin nor mining; the defaults are those of the first author's
    later code.

    * `batch-hard`: for each anchor the farthest positive and the nearest negative (Hermans et al. 2017, arXiv
      1703.07737, equation 5).
    * `batch-all`: for each anchor the mean over all its triplets, those without loss included (as equation 6 there,
      except that each anchor has the same weight, however many positives it has).
    * `semi-hard`: for each anchor the mean over its positives, each with the nearest negative that is farther than the
      positive, or the farthest negative if there is none (Schroff et al. 2015, arXiv 1503.03832, section 3.2).

    Args:
        labels: classes or sub-classes, integers of shape (n,) or (n, 1).
        embeddings: of shape (n, n_dimensions), of any float type; distances are computed in float32.
        margin: distance by which negatives shall be farther than positives.
        mining: `batch-hard`, `batch-all` or `semi-hard`.

    Returns:
        Scalar: the mean over anchors that have a positive and a negative in the batch; 0 if there is none.

    Raises:
        TrackError: the mining is unknown.

    """
    losses, valid = anchor_losses(*same_and_other(labels), distances(embeddings), margin=margin, mining=mining)
    return _mean(losses, valid)


def two_level_triplet_loss(  # noqa: PLR0913 - two margins and a weight
    classes: Any,  # noqa: ANN401 - Keras tensors have no type
    groups: Any,  # noqa: ANN401 - as above
    embeddings: Any,  # noqa: ANN401 - as above
    *,
    margin: float = MARGIN,
    group_margin: float = GROUP_MARGIN,
    group_weight: float = 1.0,
    mining: Mining = "batch-hard",
) -> Any:  # noqa: ANN401 - as above
    """Return the triplet loss across classes plus that across the groups within each class (GS-TRS).

    Across classes, positives are all other objects of the class, and negatives those of other classes. Within a class,
    positives are the other objects of the group, and negatives those of other groups of the same class.

    Em (Bai) et al. 2017, "Incorporating intra-class variance to fine-grained visual recognition" (arXiv 1703.00196).
    The abstract states that triplets are formed across categories and across groups; margins, weight and mining could
    not be verified and are ours. The groups' margin is half of the classes', so that groups of a class stay closer to
    each other than to other classes, and both losses have the same weight.

    Args:
        classes: integers of shape (n,) or (n, 1).
        groups: group of each object, integers of shape (n,) or (n, 1); groups of different classes may share numbers.
        embeddings: of shape (n, n_dimensions).
        margin: margin across classes.
        group_margin: margin across groups.
        group_weight: weight of the loss across groups.
        mining: as for `triplet_loss`.

    Returns:
        Scalar; each of the two losses is the mean over the anchors that have both a positive and a negative.

    """
    same_class, other_class = same_and_other(classes)
    same_group, _ = same_and_other(groups)
    apart = distances(embeddings)
    within = ops.logical_and(same_class, same_group), ops.logical_and(same_class, ops.logical_not(same_group))
    across = _mean(*anchor_losses(same_class, other_class, apart, margin=margin, mining=mining))
    return across + group_weight * _mean(*anchor_losses(*within, apart, margin=group_margin, mining=mining))


def same_and_other(labels: Any) -> tuple[Any, Any]:  # noqa: ANN401 - Keras tensors have no type
    """Return which objects have the label of an anchor, itself excepted, and which have another one.

    Args:
        labels: integers of shape (n,) or (n, 1).

    Returns:
        Two bool tensors of shape (n, n): anchors in rows.

    """
    labels = ops.reshape(labels, (-1,))
    equal = ops.equal(labels[:, None], labels[None, :])
    positions = ops.arange(ops.shape(labels)[0])
    itself = ops.equal(positions[:, None], positions[None, :])
    return ops.logical_and(equal, ops.logical_not(itself)), ops.logical_not(equal)


def distances(embeddings: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return Euclidean distances of all pairs.

    Distances that are 0 but for rounding are exactly 0, and their gradient is defined as 0, where that of the square
    root would be infinite. Since distances do not depend on the origin, it is moved to the mean of the batch first,
    which keeps the rounding errors of the inner products small.

    Args:
        embeddings: of shape (n, n_dimensions).

    Returns:
        float32 of shape (n, n).

    """
    embeddings = ops.cast(embeddings, "float32")
    embeddings = embeddings - ops.stop_gradient(ops.mean(embeddings, axis=0, keepdims=True))
    norms = ops.sum(ops.square(embeddings), axis=1)
    norms = norms[:, None] + norms[None, :]
    squares = norms - 2 * ops.matmul(embeddings, ops.transpose(embeddings))
    positive = squares > ROUNDING * norms
    return ops.where(positive, ops.sqrt(ops.where(positive, squares, 1.0)), 0.0)


def anchor_losses(
    positives: Any,  # noqa: ANN401 - Keras tensors have no type
    negatives: Any,  # noqa: ANN401 - as above
    apart: Any,  # noqa: ANN401 - as above
    *,
    margin: float,
    mining: Mining,
) -> tuple[Any, Any]:
    """Return the loss of each anchor, and whether it counts.

    Args:
        positives: bool of shape (n, n): which objects are positives of the anchor in this row.
        negatives: bool of shape (n, n): which are its negatives.
        apart: distances, float32 of shape (n, n).
        margin: margin.
        mining: how triplets are chosen.

    Returns:
        Losses, float32 of shape (n,), 0 where they do not count; and bool of shape (n,), true for anchors that have at
        least one positive and one negative.

    Raises:
        TrackError: the mining is unknown.

    """
    if mining not in _MININGS:
        message = f"Option mining is {mining!r}. {did_you_mean(str(mining), get_args(Mining))}"
        raise TrackError(message)
    valid = ops.logical_and(ops.any(positives, axis=1), ops.any(negatives, axis=1))
    losses = _MININGS[mining](positives, negatives, apart, margin)
    return ops.where(valid, losses, 0.0), valid


def _batch_hard(positives: Any, negatives: Any, apart: Any, margin: float) -> Any:  # noqa: ANN401 - Keras tensors have no type
    farthest = ops.max(ops.where(positives, apart, 0.0), axis=1)
    return ops.relu(farthest - _nearest(negatives, apart) + margin)


def _batch_all(positives: Any, negatives: Any, apart: Any, margin: float) -> Any:  # noqa: ANN401 - as above
    triplets = ops.logical_and(positives[:, :, None], negatives[:, None, :])  # (anchor, positive, negative)
    losses = ops.relu(apart[:, :, None] - apart[:, None, :] + margin)
    return _mean(losses, triplets, axis=(1, 2))


def _semi_hard(positives: Any, negatives: Any, apart: Any, margin: float) -> Any:  # noqa: ANN401 - as above
    farther = ops.logical_and(negatives[:, None, :], apart[:, None, :] > apart[:, :, None])
    nearest = _nearest(farther, apart[:, None, :])  # (anchor, positive)
    farthest = ops.max(ops.where(negatives, apart, 0.0), axis=1)[:, None]
    chosen = ops.where(ops.any(farther, axis=2), nearest, farthest)
    return _mean(ops.relu(apart - chosen + margin), positives, axis=1)


_MININGS: dict[str, Callable[[Any, Any, Any, float], Any]] = {
    "batch-hard": _batch_hard,
    "batch-all": _batch_all,
    "semi-hard": _semi_hard,
}


def _nearest(candidates: Any, apart: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return the smallest distance to a candidate along the last axis; `FAR` if there is none."""
    return ops.min(ops.where(candidates, apart, FAR), axis=-1)


def _mean(values: Any, counted: Any, axis: int | tuple[int, ...] | None = None) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return the mean of the values that count; 0 if there are none."""
    weights = ops.cast(counted, values.dtype)
    return ops.sum(values * weights, axis=axis) / ops.maximum(ops.sum(weights, axis=axis), 1.0)
