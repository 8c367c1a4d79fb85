"""The hash of a user-supplied track: what it covers besides the shipped modules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import planktonbench as pb
import pytest
from planktonbench.models.protocol.source_hash import track_sha256, user_files
from planktonbench.models.registry import get_track

if TYPE_CHECKING:
    from pathlib import Path

METHOD = """
import numpy as np
import planktonbench as pb
from my_helper import value
from my_package.inner import other

class Mine(pb.Track):
    name = "mine"
    inputs = {"native"}
    def fit(self, train, valid, *, rng):
        self.n = len(train.classes) * value * other
    def predict(self, objects):
        return np.eye(self.n)[np.zeros(len(objects), dtype=int)]
"""
NETWORK = """
from my_helper import value

def build(n_classes, input_shape):
    raise NotImplementedError
"""
ESTIMATOR = """
from sklearn.dummy import DummyClassifier

class Guess(DummyClassifier):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a method, modules that it imports, and one that it does not."""
    files = {
        "my_method.py": METHOD,
        "my_network.py": NETWORK,
        "my_estimator.py": ESTIMATOR,
        "my_helper.py": "value = 1",
        "my_package/__init__.py": "",
        "my_package/inner.py": "other = 1",
        "unrelated.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("reference", "file", "is_covered"),
    [
        ("my_method.py:Mine", "my_method.py", True),
        ("my_method.py:Mine", "my_helper.py", True),
        ("my_method.py:Mine", "my_package/inner.py", True),
        ("my_method.py:Mine", "unrelated.py", False),
        ("my_network.py:build", "my_network.py", True),
        ("my_network.py:build", "my_helper.py", True),
        ("my_network.py:build", "unrelated.py", False),
    ],
)
def test_an_edit_of_a_module_that_the_file_imports_is_noticed(
    folder: Path, reference: str, file: str, *, is_covered: bool
) -> None:
    """Modules beside the file count when they are imported, and only then."""
    before = track_sha256(get_track(f"{folder}/{reference}"))
    with (folder / file).open("a") as opened:
        opened.write("\n# edited\n")

    assert (track_sha256(get_track(f"{folder}/{reference}")) != before) == is_covered


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        ("my_method.py:Mine", ["my_helper.py", "my_method.py", "my_package/__init__.py", "my_package/inner.py"]),
        ("my_network.py:build", ["my_helper.py", "my_network.py"]),
    ],
)
def test_the_files_of_a_user_supplied_track_are_known(folder: Path, reference: str, names: list[str]) -> None:
    """A cluster compares them: those that the track imports, without installed libraries."""
    assert user_files(get_track(f"{folder}/{reference}")) == [folder / name for name in names]


def test_an_edit_of_a_user_defined_estimator_is_noticed(folder: Path) -> None:
    """The class of an estimator that `from_sklearn` wraps counts; scikit-learn itself is not read."""
    import my_estimator  # type: ignore[import-not-found]

    before = track_sha256(pb.from_sklearn("guess", my_estimator.Guess()))
    with (folder / "my_estimator.py").open("a") as opened:
        opened.write("\n# edited\n")

    assert track_sha256(pb.from_sklearn("guess", my_estimator.Guess())) != before


def test_a_class_of_a_notebook_has_the_hash_of_its_definition() -> None:
    """Without a file, another value, another method and another nested function each make another hash."""
    text = """
class Mine(Track):
    name = "mine"
    inputs = {"native"}
    number = 1
    def fit(self, train, valid, *, rng):
        self.n = 2
    def predict(self, objects):
        return [(lambda one: one + 3)(row) for row in range(self.n)]
"""

    def made(old: str = "", new: str = "") -> str:
        scope = {"Track": pb.Track, "__name__": "no_such_module"}
        exec(text.replace(old, new), scope)  # noqa: S102 - our own text, as a notebook's cell
        return track_sha256(scope["Mine"])  # type: ignore[arg-type]

    others = [made("number = 1", "number = 4"), made("self.n = 2", "self.n = 4"), made("one + 3", "one + 4")]

    assert made() == made()
    assert len({made(), *others}) == 4
