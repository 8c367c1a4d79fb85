"""Job: one run of a track, as the message that its worker receives, and how its inputs are prepared elsewhere."""

from __future__ import annotations

import base64
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from ...data_manifests.images.store import source_of
from ...data_manifests.manifest import Manifest  # noqa: TC001 - pydantic needs it
from ...models.kept.model_facts import ModelFacts  # noqa: TC001 - pydantic needs it
from ...models.protocol.checks import check_track
from ...models.registry import get_track, is_file_reference, split_file_reference
from ...reports.run_files.card import Card  # noqa: TC001 - pydantic needs it
from ...reports.run_files.run_folder import run_folder

if TYPE_CHECKING:
    from ...models.protocol.track import Track


MESSAGE = ConfigDict(extra="forbid", frozen=True)


class TrackSource(BaseModel):
    """Source from which a worker loads the class of a track.

    Attributes:
        reference: registered name or `path.py:Class`; empty if the class is pickled.
        pickled: the class pickled by value, in base64, if it cannot be imported (from a notebook); else empty.

    """

    model_config = MESSAGE

    reference: str = ""
    pickled: str = ""

    @property
    def file(self) -> Path | None:
        """File of a user-supplied track; None if the class is registered or pickled."""
        return split_file_reference(self.reference)[0] if is_file_reference(self.reference) else None

    def load(self) -> type[Track]:
        """Import or unpickle the class.

        Raises:
            TrackError: the track is unknown, or breaks the protocol.

        """
        if self.reference:
            return get_track(self.reference)
        import cloudpickle

        track = cloudpickle.loads(base64.b64decode(self.pickled))  # from our own parent or client, never from a file
        return check_track(track, repr(track))


class InputRecipe(BaseModel):
    """Everything from which a worker that does not share the inputs of a job finds or prepares the same ones.

    Attributes:
        manifest: manifest of the data set.
        folder: absolute path of its files on the machine that planned the job.
        data_sha256: hash of the data set without other classes and the excluded objects.
        simulated: whether its objects were drawn by a program.
        label: name of the data set in the suite, if it is not that of the manifest; else empty.
        selected: the classes to which its objects are restricted; empty for all.
        excluded: ids of the excluded objects.
        images_state: hash of the state of its images; empty if no track uses these.
        features: the feature table as described in the card; empty if the track uses none.
        image_form: fields of the form of the network images; empty if the track uses none.
        track_files: hash of each file of user-supplied tracks, by its absolute path.

    """

    model_config = MESSAGE

    manifest: Manifest
    folder: Path
    data_sha256: str
    simulated: bool = False
    label: str = ""
    selected: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    images_state: str = ""
    features: dict[str, Any] = {}
    image_form: dict[str, Any] = {}
    track_files: dict[Path, str] = {}

    def data_only(self) -> InputRecipe:
        """Return the recipe that only finds the data set."""
        return self.model_copy(update={"features": {}, "image_form": {}})


class PreparedInputs(BaseModel):
    """Inputs that a worker has found or prepared.

    Attributes:
        native: file with the feature table; None if the recipe has none.
        images: address of the images; empty if there are none.
        network_images: address of the network images; empty if the recipe has none.
        fault: why they could not be prepared, beginning with a verb; empty if they could.

    """

    model_config = MESSAGE

    native: Path | None = None
    images: str = ""
    network_images: str = ""
    fault: str = ""


class InputRequest(BaseModel):
    """Message to the process that prepares the inputs of jobs.

    Attributes:
        recipe: how they are prepared.
        processes: number of processes that measure and prepare images.
        answer: file to which the `PreparedInputs` are written.

    """

    model_config = MESSAGE

    recipe: InputRecipe
    processes: int
    answer: Path


class Job(BaseModel):
    """One run to be done, and everything that its worker needs.

    Attributes:
        out: the results folder.
        draft: the facts of its card that are known before the run.
        track: source of the class of its track.
        base_runs: sources of the tracks of its base runs, by their names.
        truth: file with the subset and taxon of each object.
        native: file with the feature table; None if the track uses none.
        images: address of the images; empty if the track uses none.
        network_images: address of the network images; empty if the track uses none.
        recipe: how a worker of a cluster that does not share these inputs prepares them; None without a cluster.
        force: whether a finished run is repeated.
        model: facts that are stored with the model of the run; None if the model is not kept.
        needs_model: whether a finished run is repeated if its model was not kept.

    """

    model_config = MESSAGE

    out: Path
    draft: Card
    track: TrackSource
    base_runs: dict[str, TrackSource] = {}
    truth: Path
    native: Path | None = None
    images: str = ""
    network_images: str = ""
    recipe: InputRecipe | None = None
    force: bool = False
    model: ModelFacts | None = None
    needs_model: bool = False

    @cached_property
    def folder(self) -> Path:
        """Folder of the run."""
        return run_folder(self.out, self.draft)

    @cached_property
    def base_folders(self) -> dict[str, Path]:
        """Folders of its base runs, by their names."""
        return {name: run_folder(self.out, self.draft.changed(track=name)) for name in self.base_runs}

    @property
    def continued(self) -> Path | None:
        """Folder of the run that it continues; None if it continues none."""
        return self.base_folders.get(self.draft.track.continues)

    @property
    def input_paths(self) -> list[Path]:
        """Files and folders of the feature table and the images."""
        paths = [self.native, self.images and source_of(self.images), self.network_images and Path(self.network_images)]
        return [path for path in paths if path]

    def changed(self, **changes: object) -> Job:
        """Return the job with other values of some attributes."""
        return Job.model_validate({name: getattr(self, name) for name in Job.model_fields} | changes)

    @property
    def key(self) -> str:
        """Unique name of the job."""
        return str(self.folder)

    @property
    def inputs(self) -> frozenset[str]:
        """Keys of the jobs that must finish first."""
        return frozenset(map(str, self.base_folders.values()))

    @property
    def label(self) -> str:
        """Data set, track, split and seed as text."""
        return self.draft.label
