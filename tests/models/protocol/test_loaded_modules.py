"""The hash of a track's source code covers every project module that the track loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from planktonbench.data_manifests.files.source_code import source_files
from planktonbench.models.protocol.source_hash import track_modules
from planktonbench.models.registry import SHIPPED, get_track

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
SMALL = {"side": 32, "epochs": 1, "batch": 32}
SMALL_BACKBONE = {**SMALL, "backbone": "tiny", "weights": "random", "embedding": 4}
SAME_CODE = {
    *("imprint-mi", "imprint-ri", "imprint-mi-ft", "imprint-ri-ft", "imprint-bl-w", "imprint-bl-wf"),
    *("triplet-only", "subclass-only"),
}
"""Tracks that are not fitted: they are in the modules of other tracks, and load nothing else."""
TRACKS = {name: reference for name, reference in SHIPPED.items() if name not in SAME_CODE}
OPTIONS = {
    "xgb-native": {"candidates": 1, "rounds": 5},
    "xgb-source001": {},
    **{name: SMALL for name in SHIPPED if name.startswith("cnn-")},
    "cnn-mobilenetv2": {**SMALL, "weights": "random"},
    "cnn-efficientnet": {**SMALL, "weights": "random"},
    "cnn-vgg19-transfer": {**SMALL, "weights": "random"},
    "fusion-joint": {**SMALL, "image": "cnn-lenet", "native": "xgb-native"},
    **dict.fromkeys(("standard", "subclass-triplet", "gs-trs"), SMALL_BACKBONE),
    **{key: {**SMALL_BACKBONE, "base_support": 1, "per_class": 4} for key in ("imprint-base", "imprint-bl")},
    "imprint-nn": {"side": 32, "backbone": "tiny", "weights": "random"},
    "fusion-xgb": {"folds": 2, "candidates": 1, "rounds": 5},
}
BASE_MODELS = {name: {"cnn-lenet": SMALL, "xgb-native": OPTIONS["xgb-native"]} for name in SHIPPED if "fusion" in name}

BUILT = ("cnn-resnet18", "cnn-resnet18-small", "cnn-mobilenetv2", "cnn-efficientnet", "cnn-vgg19-transfer")
"""Tracks whose network is built, but not trained: they inherit everything else from a track that is fitted."""

FIT = """
import importlib, importlib.util, json, sys
from dataclasses import replace
import numpy as np, pandas as pd

def built(module, member, options):
    import keras

    track = getattr(importlib.import_module(f"planktonbench.models.{module}"), member)(**options)
    track.warm_up()
    assert track.design().body(keras.Input((track.recipe.side, track.recipe.side, 3)), track.recipe) is not None

def fitted(module, member, options, subsets, base_runs):
    track = getattr(importlib.import_module(f"planktonbench.models.{module}"), member)(**options)
    protocol = importlib.import_module("planktonbench.models.protocol.track")
    track.context = protocol.TrackContext(base_runs=base_runs)
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    track.predict(subsets["test"].without_labels())
    track.embeddings(subsets["test"].without_labels())
    return track

def base_run(name, reference, options, subsets):
    track = fitted(*reference.split(":"), options, subsets, {})
    table = {key: objects.without_labels() for key, objects in subsets.items()}
    scores = [pd.DataFrame(track.predict(table[key]), index=table[key].object_ids) for key in ("valid", "test")]
    found = {key: track.embeddings(objects) for key, objects in table.items()}
    embeddings = None
    if found["train"] is not None:
        embeddings = pd.concat([pd.DataFrame(found[key], index=table[key].object_ids) for key in table])
    base = importlib.import_module("planktonbench.models.protocol.track").BaseRun
    return base(name, type(track), options, pd.concat(scores), embeddings)

def plain_objects(key, rng):
    objects = importlib.import_module("planktonbench.models.protocol.objects").Objects
    ids = np.array([f"{key}-{row:02d}" for row in range(40)], object)
    return objects(ids, ("bar", "disc", "ring"), codes=np.arange(40) % 3)

def with_table(objects, rng):
    table = pd.DataFrame(rng.normal(size=(len(objects), 4)) + objects.y[:, None], columns=list("abcd"))
    return replace(objects, native=table.set_index(pd.Index(objects.object_ids, name="object_id")))

if any("images" in inputs for _, inputs, _, _ in json.loads(sys.argv[2]).values()):
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)  # tracing takes longer than the few steps
loaded = {}
for name, (reference, inputs, options, base_models) in json.loads(sys.argv[2]).items():
    for module in [module for module in sys.modules if module.split(".")[0] == "planktonbench"]:
        del sys.modules[module]
    if name in sys.argv[3:]:
        built(*reference.split(":"), options)
        loaded[name] = sorted(module for module in sys.modules if module.split(".")[0] == "planktonbench")
        continue
    rng = np.random.default_rng(0)
    objects = {key: plain_objects(key, rng) for key in ("train", "valid", "test")}
    if "images" in inputs:
        spec = importlib.util.spec_from_file_location("objects_of_tests", sys.argv[1])
        conftest = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(conftest)
        objects = conftest.make_image_subsets({"train": 6, "valid": 3, "test": 3})
    subsets = {key: with_table(some, rng) for key, some in objects.items()}
    runs = {base: base_run(base, *given, subsets) for base, given in base_models.items()}
    fitted(*reference.split(":"), options, subsets, runs)
    loaded[name] = sorted(module for module in sys.modules if module.split(".")[0] == "planktonbench")
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Project modules loaded after each shipped track was fitted with no modules loaded before, by track.

    A track of `BUILT` also has the modules that the fit of LeNet loads, since it runs the same code.
    """
    tracks = {
        name: (reference, sorted(get_track(name).inputs), OPTIONS.get(name, {}), {
            base: (SHIPPED[base], options) for base, options in BASE_MODELS.get(name, {}).items()
        })
        for name, reference in TRACKS.items()
    }  # fmt: skip
    command = [sys.executable, "-c", FIT, str(CONFTEST), json.dumps(tracks), *BUILT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found | {name: sorted({*found[name], *found["cnn-lenet"]}) for name in BUILT}


def test_every_module_loaded_by_fit_is_hashed(loaded: dict[str, list[str]]) -> None:
    """This holds for every shipped track; modules loaded by a fusion's base models are in the hashes of their runs."""
    hashed = {name: set(source_files(*track_modules(get_track(name)))) for name in TRACKS}
    missed = {
        name: set(modules) - hashed[name].union(*(hashed[base] for base in BASE_MODELS.get(name, {})))
        for name, modules in loaded.items()
    }

    assert list(loaded) == list(TRACKS)
    assert {SHIPPED[name].partition(":")[0] for name in SAME_CODE} <= {one.partition(":")[0] for one in TRACKS.values()}
    assert {own for name in BUILT for own, value in vars(get_track(name)).items() if callable(value)} == set()
    assert all(len(modules) > 5 for modules in loaded.values())
    assert {name: modules for name, modules in missed.items() if modules} == {}


@pytest.mark.parametrize(
    ("track", "module", "is_reached"),
    [
        ("cnn-lenet", "models.networks.architectures", True),
        ("cnn-lenet", "models.networks.batch_normalisation", True),
        ("cnn-best", "models.networks.efficientnet_lite0", True),
        ("cnn-lenet", "features.network_images.kernels", True),
        ("majority", "data_manifests.blinding.opaque_ids", True),
        ("majority", "features.measured.groups.hull", False),
        ("majority", "models.networks.architectures", False),
        ("xgb-native", "data_manifests.cleaning.rules", True),
        ("cnn-lenet", "reports.scoring.score", False),
        ("majority", "benchmarks.run", False),
    ],
)
def test_modules_covered_by_the_hash(track: str, module: str, *, is_reached: bool) -> None:
    """The hash covers all modules that affect the results of a track, and no others."""
    found = source_files(*track_modules(get_track(track)))

    assert (f"planktonbench.{module}" in found) == is_reached
