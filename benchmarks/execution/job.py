"""Methods and jobs: tracks with their options, and single runs of them."""

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
    """A track to be run, with its options and the name of its runs.

    Attributes:
        name: name of its runs.
        track: class of the track.
        reference: registered name or `path.py:Class`, for the worker; empty if the class is pickled.
        options: all options, including defaults and budget.
        features: kind of feature table; None means the default of the data set.
        base_methods: the methods of its base runs.

    """

    name: str
    track: type[Track]
    reference: str
    options: dict[str, Any]
    features: Features | None = None
    base_methods: tuple[Method, ...] = ()

    @cached_property
    def instance(self) -> Track | None:
        """The track constructed from its options, for its properties; None if this fails, which its run will report.

        Raises:
            TrackError: an option has an invalid value.

        """
        try:
            return self.track(**self.options)
        except PlanktonbenchError:
            raise
        except Exception:  # noqa: BLE001 - user-defined constructor; a failed run is recorded with its reason
            return None

    @property
    def base_models(self) -> tuple[str, ...]:
        """Names of its base models."""
        return self.instance.base_models if self.instance else ()

    @property
    def image_form(self) -> ImageForm | None:
        """Form of network images of the track, or else of one of its base models."""
        own = self.instance.image_form if self.instance else None
        return own or next((base.image_form for base in self.base_methods if base.image_form), None)

    @property
    def depth(self) -> int:
        """Number of consecutive runs that must finish before its own can start."""
        return 1 + max((base.depth for base in self.base_methods), default=-1)

    @property
    def pickled(self) -> str:
        """The class pickled by value, in base64, if a worker cannot import it (from a notebook); else empty."""
        if self.reference:
            return ""
        import cloudpickle

        return base64.b64encode(cloudpickle.dumps(self.track)).decode()


@dataclass(frozen=True)
class Job:
    """One run to be done.

    Attributes:
        draft: the facts of its card that are known before the run.
        method: the track with its options.
        task: location of truth, feature table, images and network images for the worker.

    """

    draft: Card
    method: Method
    task: dict[str, str]

    @property
    def base_cards(self) -> list[Card]:
        """Cards of the base runs; only the facts that determine their folders are correct."""
        return [self.draft.changed(track=base.name) for base in self.method.base_methods]

    @property
    def label(self) -> str:
        """Data set, track, split and seed as text."""
        return (
            f"{self.draft.data.name} · {self.draft.track.name} · {self.draft.split.name} · seed {self.draft.split.seed}"
        )
