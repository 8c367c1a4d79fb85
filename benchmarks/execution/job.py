"""Methods and jobs: a track with its options, and one run of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import PlanktonbenchError

if TYPE_CHECKING:
    from ...features.network_images.form import ImageForm
    from ...models.protocol.track import Track
    from ...reports.run_files.card import Card
    from ..suites.suite import Features


@dataclass(frozen=True)
class Method:
    """A track that is to be run, under the name of its results.

    Attributes:
        name: name of its runs.
        track: its class.
        reference: how a worker finds it: a registered name or `path.py:Class`; empty when it is carried along.
        options: all options, defaults and budget included.
        features: the table that it learns from; None is the data set's usual one.
        base_methods: the methods whose runs it is built on.

    """

    name: str
    track: type[Track]
    reference: str
    options: dict[str, Any]
    features: Features | None = None
    base_methods: tuple[Method, ...] = ()

    @cached_property
    def instance(self) -> Track | None:
        """The track made from its options, to be asked what it wants; None when it fails, which its run will tell.

        Raises:
            TrackError: one of its options cannot be meant.

        """
        try:
            return self.track(**self.options)
        except PlanktonbenchError:
            raise
        except Exception:  # noqa: BLE001 - anybody's constructor; a run that fails is recorded with the reason
            return None

    @property
    def base_models(self) -> tuple[str, ...]:
        """The names of the methods that it is to be built on."""
        return self.instance.base_models if self.instance else ()

    @property
    def image_form(self) -> ImageForm | None:
        """The form of prepared images that it, or else one of its base models, learns from."""
        own = self.instance.image_form if self.instance else None
        return own or next((base.image_form for base in self.base_methods if base.image_form), None)

    @property
    def depth(self) -> int:
        """How many runs have to follow each other until its own can begin."""
        return 1 + max((base.depth for base in self.base_methods), default=-1)

    @property
    def carried(self) -> str:
        """The class itself, for a worker that cannot import it (a notebook's): pickled by value, in base64."""
        if self.reference:
            return ""
        import cloudpickle

        return base64.b64encode(cloudpickle.dumps(self.track)).decode()


@dataclass(frozen=True)
class Job:
    """One run that is wanted.

    Attributes:
        draft: its card as far as it is known beforehand.
        method: the track with its options.
        task: where the worker finds truth, native table, images and prepared images.

    """

    draft: Card
    method: Method
    task: dict[str, str]

    @property
    def base_cards(self) -> list[Card]:
        """The cards of the runs that it is built on, as far as they name their folders."""
        return [self.draft.changed(track=base.name) for base in self.method.base_methods]

    @property
    def label(self) -> str:
        """The job in words."""
        return (
            f"{self.draft.data.name} · {self.draft.track.name} · {self.draft.split.name} · seed {self.draft.split.seed}"
        )
