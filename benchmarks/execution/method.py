"""Method: a track with its options, as named in a suite."""

from __future__ import annotations

import base64
import inspect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...data_manifests.errors import PlanktonbenchError
from ...data_manifests.files.source_code import PACKAGE
from ...data_manifests.seeds import sha256_text
from ...models.protocol.source_hash import track_sha256
from ...reports.tasks.catalogue import task_named
from .job import TrackSource

if TYPE_CHECKING:
    from ...features.network_images.form import ImageForm
    from ...models.protocol.track import Track
    from ...reports.tasks.task import Task
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
        base_methods: the methods of its base runs: base models of a fusion, and the track that it continues.

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
    def task(self) -> Task:
        """Task of the track."""
        return task_named(self.track.task)

    @property
    def labels(self) -> Literal["all", "none"]:
        """Labels that the track or one of its base models receives."""
        with_labels = self.task.labels == "all" or any(base.labels == "all" for base in self.base_methods)
        return "all" if with_labels else "none"

    @cached_property
    def sha256(self) -> str:
        """Hash of the source code of the track, and of the modules of its task, which checks and stores its output."""
        classes = [one for one in type(self.task).__mro__ if one.__module__.startswith(f"{PACKAGE}.")]
        files = [Path(inspect.getfile(one)).read_text("utf-8") for one in classes]
        return sha256_text(track_sha256(self.track), *files)

    @property
    def base_models(self) -> tuple[str, ...]:
        """Names of the tracks whose runs it needs: its base models, and the track that it continues."""
        own = self.instance.base_models if self.instance else ()
        return tuple(dict.fromkeys([*own, *([self.continues] if self.continues else [])]))

    @property
    def continues(self) -> str:
        """The track that it continues, as it names it; empty for none."""
        return (self.instance.continues or "") if self.instance else ""

    @property
    def continued_run(self) -> str:
        """Name of the run that it continues; empty for none, or before its base methods are known."""
        names = {reference: base.name for reference, base in zip(self.base_models, self.base_methods, strict=False)}
        return names.get(self.continues, "")

    @property
    def image_form(self) -> ImageForm | None:
        """Form of network images of the track, or else of one of its base models."""
        own = self.instance.image_form if self.instance else None
        return own or next((base.image_form for base in self.base_methods if base.image_form), None)

    @cached_property
    def source(self) -> TrackSource:
        """Source from which a worker loads the class."""
        if self.reference:
            return TrackSource(reference=self.reference)
        import cloudpickle

        return TrackSource(pickled=base64.b64encode(cloudpickle.dumps(self.track)).decode())
