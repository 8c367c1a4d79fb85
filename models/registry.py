"""Registry of tracks by name: shipped tracks, tracks from other packages, and tracks in user files."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

from ..data_manifests.errors import TrackError, did_you_mean
from ..data_manifests.seeds import sha256_text
from .protocol.checks import check_track
from .protocol.track import Track

GROUP = "planktonbench.tracks"
SHIPPED = {
    "xgb-native": "table_tracks.xgboost_tracks:XgbNative",
    "xgb-source001": "table_tracks.xgboost_tracks:XgbSource001",
    "forest-native": "table_tracks.sklearn_tracks:Forest",
    "balanced-forest-native": "table_tracks.sklearn_tracks:BalancedForest",
    "logistic-native": "table_tracks.sklearn_tracks:Logistic",
    "cnn-lenet": "image_tracks.convolutional:LeNet",
    "cnn-resnet18": "image_tracks.convolutional:ResNet18",
    "cnn-resnet18-small": "image_tracks.convolutional:SmallResNet",
    "cnn-mobilenetv2": "image_tracks.convolutional:MobileNetV2",
    "cnn-efficientnet": "image_tracks.convolutional:EfficientNet",
    "cnn-vgg19-transfer": "image_tracks.convolutional:Vgg19Transfer",
    "cnn-lite0-pretrained": "image_tracks.convolutional:Lite0Pretrained",
    "cnn-best": "image_tracks.convolutional:Best",
    "fusion-xgb": "fusion.early_xgboost:FusionXgb",
    "fusion-joint": "fusion.joint_network:FusionJoint",
    "fusion-stack": "fusion.late_pooling:FusionStack",
    "imprint-base": "imprinting.tracks:BaseTraining",
    "imprint-mi": "imprinting.tracks:MeanImprinting",
    "imprint-mi-ft": "imprinting.tracks:MeanImprintingFineTuned",
    "imprint-ri": "imprinting.tracks:RandomImprinting",
    "imprint-ri-ft": "imprinting.tracks:RandomImprintingFineTuned",
    "imprint-bl": "imprinting.tracks:Baseline",
    "imprint-bl-w": "imprinting.tracks:BaselineWithoutUnitWeights",
    "imprint-bl-wf": "imprinting.tracks:BaselineWithoutUnits",
    "imprint-nn": "imprinting.tracks:NearestMean",
    "standard": "metric_learning.tracks:Standard",
    "triplet-only": "metric_learning.tracks:TripletOnly",
    "subclass-only": "metric_learning.tracks:SubclassOnly",
    "subclass-triplet": "metric_learning.tracks:SubclassTriplet",
    "gs-trs": "metric_learning.tracks:GroupSensitiveTriplets",
    "kmeans-native": "clustering.kmeans:KmeansNative",
    "majority": "table_tracks.baselines:Majority",
    "random": "table_tracks.baselines:Random",
}
"""Name of each shipped track -> its module in this package and its class."""

MAKERS = frozenset(f"{__package__}.{name}" for name in ("table_tracks.sklearn_tracks", "image_tracks.user_keras"))
"""Modules of the functions that make a track from a user-supplied estimator or network."""

_registered: dict[str, type[Track]] = {}


def register(track: type[Track]) -> type[Track]:
    """Register a track under its name for this process; can be used as a class decorator.

    Raises:
        TrackError: the class breaks the protocol, or the name is taken; the registry is left unchanged.

    """
    check_track(track, getattr(track, "__name__", repr(track)))
    taken = track.name in SHIPPED or _registered.get(track.name, track) is not track
    if taken:
        message = f"A track named '{track.name}' already exists; give {track.__name__} another name."
        raise TrackError(message)
    _registered[track.name] = track
    return track


def track_names() -> list[str]:
    """Return the names of all tracks: shipped ones in their order, then registered ones and those of other packages."""
    others = {*_registered, *(entry.name for entry in entry_points(group=GROUP))}
    return [*SHIPPED, *sorted(others - set(SHIPPED))]


def get_track(name: str) -> type[Track]:
    """Return a track class by name or `path.py:Class`; `path.py:build` names a function that builds a Keras network.

    Raises:
        TrackError: there is no track of that name (near matches are suggested), or the class breaks the protocol.

    """
    if name in SHIPPED:
        module, _, member = SHIPPED[name].partition(":")
        return check_track(getattr(importlib.import_module(f".{module}", __package__), member), name)
    if name in _registered:
        return _registered[name]
    if is_file_reference(name):
        return _from_file(name)
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return check_track(entry.load(), f"{entry.value} (from another package)")
    message = f"There is no track named '{name}'. {did_you_mean(name, track_names())}"
    raise TrackError(message)


def is_file_reference(name: str) -> bool:
    """Return whether a track name refers to a file, as in `path.py:Class`."""
    return ".py" in name


def split_file_reference(reference: str) -> tuple[Path, str]:
    """Split `path.py:Class` into absolute path and class name; the class name is empty if only a path is given."""
    text, _, member = (reference, "", "") if reference.endswith(".py") else reference.rpartition(":")
    return Path(text).expanduser().resolve(), member


def _from_file(reference: str) -> type[Track]:
    """Load the class of `path.py:Class`; without `:Class`, the file must define exactly one track."""
    path, member = split_file_reference(reference)
    if not path.is_file():
        message = f"{path} does not exist; expected a Python file, as in my_method.py:MyTrack."
        raise TrackError(message)
    name = f"planktonbench_file_{sha256_text(str(path))[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        message = f"{path} is not a Python file; expected one, as in my_method.py:MyTrack."
        raise TrackError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        del sys.modules[name]
        message = f"{path} cannot be imported: {type(fault).__name__}: {fault}"
        raise TrackError(message) from fault
    tracks = {key: value for key, value in vars(module).items() if _is_own_track(value, name)}
    if not member and len(tracks) == 1:
        member = next(iter(tracks))
    if member not in vars(module):
        message = (
            f"{path} has no class '{member}'. {did_you_mean(member, tracks)} Name the class as in {path.name}:MyTrack."
        )
        raise TrackError(message)
    found = getattr(module, member)
    if inspect.isfunction(found):
        from .image_tracks.user_keras import from_keras

        return from_keras(_name_of(path, member), found)
    return check_track(found, f"{path.name}:{member}")


def _name_of(path: Path, function: str) -> str:
    """Return the track name for a function: `my-network` for `my_network.py:build`, `my-network-wide` for `:wide`."""
    words = path.stem if function == "build" else f"{path.stem}-{function}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _is_own_track(value: object, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Track) and value.__module__ in {module, *MAKERS}
