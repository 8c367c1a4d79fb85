"""Joint fusion: one network with a branch for the image and a branch for the table of features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...data_manifests.errors import TrackError
from ...features.native.pipeline import describe_preparation, native_pipeline, prepared
from ..image_tracks.convolutional import ImageTrack
from ..training.recipe import JointRecipe

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..training.batches import Examples


class FusionJoint(ImageTrack):
    """A network with one branch for the image and one for the feature table.

    With `join: together` the branches are joined before the fully connected layers, and trained together. With `join:
    late` the image branch is the base model's trained network, and the branches are joined before the last layer; the
    embeddings of training rows then come from a network that was trained on them, so they are more separable than those
    of other rows. The table is prepared as for the other tracks: pruned, normalised, missing values replaced by the
    training median, with an indicator column.
    """

    name = "fusion-joint"
    source = "planktonbench, after the outlook of source 001; late: Dieleman et al. 2015 (National Data Science Bowl)"
    inputs = frozenset({"native", "images"})
    can_be_kept = False  # the preparation of its table has no format of its own yet
    recipe: JointRecipe = JointRecipe(dropout=0.3)

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - checked by the recipe
        super().__init__(**options)
        if self.recipe.join == "late" and (self.recipe.augments or self.recipe.views):
            message = (
                f"{self.name}: join 'late' takes stored embeddings, which cannot be augmented; expected rotate90, flip "
                "and views false, and no rotation, shift, zoom or noise. Switch these off."
            )
            raise TrackError(message)

    @property
    def base_models(self) -> tuple[str, ...]:
        """The track on images and the track on features alone."""
        return self.recipe.image, self.recipe.native

    def design(self) -> Design:
        """Return the design of the image base model, with layers for the table."""
        base_run = self.context.base_run(self.recipe.image)
        network = cast("ImageTrack", base_run.track(**base_run.options))
        return replace(network.design(), joined=self._units)

    @property
    def _units(self) -> tuple[int, int]:
        return self.recipe.units, self.recipe.units // 2

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Fit the preparation of the table on training rows, and train the network."""
        self._train_table = train.table
        self._pipeline = native_pipeline("median").fit(train.table)
        super().fit(train, valid, rng=rng)

    def preparation(self) -> pd.DataFrame:
        """Return the preparation of the native columns of the training rows."""
        return describe_preparation(self._pipeline, self._train_table)

    def _examples(self, objects: Objects) -> Examples:
        from ..training.batches import EmbeddedExamples, Examples

        table = prepared(self._pipeline, objects.table).to_numpy(np.float32)
        plain = Examples.of(objects, with_size=self.recipe.with_size, table=table)
        if self.recipe.join == "together":
            return plain
        embeddings = self.context.base_run(self.recipe.image).embeddings_of(objects)
        return EmbeddedExamples(plain.network_images, plain.rows, plain.sizes, embeddings[:, None, None, :])

    def _network(self, train: Examples, seed: int) -> keras.Model:
        from ..training.batches import EmbeddedExamples

        if not isinstance(train, EmbeddedExamples):
            return super()._network(train, seed)
        from ..networks.network import late_design, network

        design = late_design(train.embeddings[:, 0, 0], self._units)
        return network(design, self.recipe, len(self._codes), sizes=train.sizes, seed=seed)
