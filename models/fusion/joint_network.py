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
    """A network for image and features: its parts meet before the fully connected layers, or late, before the last.

    The table is prepared as for the other tracks: pruned, normalised, the training median for what is missing, with a
    column that says so. With `join: late` the embeddings of training rows are of a network that was trained on them,
    which knows them better than it will know others.
    """

    name = "fusion-joint"
    source = "here, after the outlook of source 001; late: Dieleman et al. 2015 (National Data Science Bowl)"
    inputs = frozenset({"native", "images"})
    recipe: JointRecipe = JointRecipe(dropout=0.3)

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - checked by the recipe
        super().__init__(**options)
        if self.recipe.join == "late" and (self.recipe.augments or self.recipe.views):
            message = (
                f"{self.name}: join 'late' takes what the network made of each image, which cannot be turned any more; "
                "expected rotate90, flip and views false, and no rotation, shift, zoom or noise."
            )
            raise TrackError(message)

    @property
    def base_models(self) -> tuple[str, ...]:
        """The tracks on images and on features alone."""
        return self.recipe.image, self.recipe.native

    def design(self) -> Design:
        """Return the part's design, with layers for the table."""
        base_run = self.base_runs[self.recipe.image]
        network = cast("ImageTrack", base_run.track(**base_run.options))
        return replace(network.design(), joined=self._units)

    @property
    def _units(self) -> tuple[int, int]:
        return self.recipe.units, self.recipe.units // 2

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Prepare the table by training rows, and train the network."""
        self._train_table = train.table
        self._pipeline = native_pipeline("median").fit(train.table)
        super().fit(train, valid, rng=rng)

    def preparation(self) -> pd.DataFrame:
        """Return what was done to the native columns of the training rows."""
        return describe_preparation(self._pipeline, self._train_table)

    def _examples(self, objects: Objects) -> Examples:
        from ..training.batches import Embedded, Examples

        table = prepared(self._pipeline, objects.table).to_numpy(np.float32)
        plain = Examples.of(objects, with_size=self.recipe.with_size, table=table)
        if self.recipe.join == "together":
            return plain
        seen = self.base_runs[self.recipe.image].embedded(objects)
        return Embedded(plain.network_images, plain.rows, plain.sizes, seen[:, None, None, :])

    def _network(self, train: Examples, seed: int) -> keras.Model:
        from ..training.batches import Embedded

        if not isinstance(train, Embedded):
            return super()._network(train, seed)
        from ..networks.network import late_design, network

        design = late_design(train.seen[:, 0, 0], self._units)
        return network(design, self.recipe, len(self._codes), sizes=train.sizes, seed=seed)
