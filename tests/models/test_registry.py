"""Registry: tracks by name, from a file and from another package, and checks of the protocol."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import numpy as np
import planktonbench as pb
import pytest
from planktonbench import Objects, TrackError
from planktonbench.models import registry
from planktonbench.models.protocol.checks import check_options, check_track, options_of
from planktonbench.models.protocol.source_hash import track_sha256
from planktonbench.reports.tasks.classification import Classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '''
import numpy as np
import planktonbench as pb

class Mine(pb.Track):
    """Predicts the first class."""
    name = "mine"
    inputs = {"native"}
    def __init__(self, power: float = 1.0):
        self.power = power
    def fit(self, train, valid, *, rng):
        self.n = len(train.classes)
    def predict(self, objects):
        return np.eye(self.n)[np.zeros(len(objects), dtype=int)]
'''
KEPT = f"""{GOOD}
    can_be_kept = True
    def save(self, path):
        pass
    def load(self, path):
        pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """File with one track."""
    path = tmp_path / "my_method.py"
    path.write_text(GOOD)
    return path


def test_registered_names_match_those_of_the_classes() -> None:
    """Each shipped track is registered under its own name, and has a source and a docstring."""
    for name in registry.SHIPPED:
        track = registry.get_track(name)

        assert (track.name, bool(track.source), bool(track.__doc__)) == (name, True, True)


def test_mistyped_name_gets_near_matches() -> None:
    """`xgb-natve` suggests `xgb-native`."""
    with pytest.raises(TrackError, match=r"no track named 'xgb-natve'\. Did you mean xgb-native"):
        registry.get_track("xgb-natve")


@pytest.mark.parametrize("member", [":Mine", ""])
def test_track_from_file(file: Path, member: str) -> None:
    """`path.py:Class` works, and `path.py` if the file has only one track."""
    assert registry.get_track(f"{file}{member}").name == "mine"


@pytest.mark.parametrize(
    ("text", "reference", "message"),
    [
        (GOOD, "{path}:Mne", "has no class 'Mne'. Did you mean Mine?"),
        (GOOD, "{path}x.py:Mine", "does not exist; expected a Python file"),
        ("1 / 0", "{path}:Mine", "cannot be imported: ZeroDivisionError"),
        ("class Mine: pass", "{path}:Mine", "expected a subclass of planktonbench.Track"),
        (GOOD.replace("def predict", "def forecast"), "{path}:Mine", "has no method predict; expected predict(self"),
        (
            GOOD + "    can_be_kept = True",
            "{path}:Mine",
            "can_be_kept is True, but it has no save; expected save(self, f",
        ),
        (
            KEPT.replace("path", ""),
            "{path}:Mine",
            "save(self) does not match the protocol; expected save(self, folder)",
        ),
        (
            GOOD.replace("train, valid, *, rng", "X"),
            "{path}:Mine",
            "fit(self, X) does not match the protocol; expected fit(self, train",
        ),
        (GOOD.replace('"mine"', '"My Method"'), "{path}:Mine", "name is 'My Method'; expected lower-case words"),
        (GOOD.replace('{"native"}', '{"sound"}'), "{path}:Mine", "inputs is {'sound'}; expected {'native'}"),
        (GOOD.replace("power: float = 1.0", "power"), "{path}:Mine", "'power' has no default"),
    ],
)
def test_invalid_track_is_refused_before_anything_runs(tmp_path: Path, text: str, reference: str, message: str) -> None:
    """The message names file and class, and shows the actual and the expected definition."""
    path = tmp_path / "my_method.py"
    path.write_text(text)

    with pytest.raises(TrackError) as fault:
        registry.get_track(reference.format(path=path))
    assert message in str(fault.value)


def test_register_refuses_duplicate_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name belongs to one track, and a refused track leaves the registry unchanged."""
    monkeypatch.setattr(registry, "_registered", {})
    first, second = (pb.from_sklearn("same-name", LogisticRegression()) for _ in range(2))
    pb.register(first)

    with pytest.raises(TrackError, match="already"):
        pb.register(second)
    with pytest.raises(TrackError, match="already"):
        pb.register(pb.from_sklearn("xgb-native", LogisticRegression()))
    assert registry.get_track("same-name") is first
    assert "same-name" in registry.track_names()


def test_track_from_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points of the group planktonbench.tracks are registered."""
    entry = EntryPoint("far", "planktonbench.models.table_tracks.baselines:Majority", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.GROUP else [])

    assert registry.get_track("far").name == "majority"
    assert registry.track_names()[-1] == "far"


def test_track_from_scikit_learn_classifier(subsets: dict[str, Objects]) -> None:
    """The classifier is cloned and seeded in all its steps, and score columns follow the class codes."""
    estimator = make_pipeline(RandomForestClassifier(20))
    track = pb.from_sklearn("forest", estimator)()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    scores = track.predict(subsets["test"])

    assert (scores.argmax(axis=1) == subsets["test"].y).mean() > 0.9
    assert not hasattr(estimator[0], "classes_")
    assert track._model[0].random_state is not None  # type: ignore[attr-defined]


def test_classifier_without_probabilities_is_refused() -> None:
    """The message names the missing method and a wrapper that adds it."""
    with pytest.raises(TrackError, match=r"LinearSVC has no predict_proba.*CalibratedClassifierCV"):
        pb.from_sklearn("svm", LinearSVC())


def test_options_are_constructor_arguments(file: Path) -> None:
    """Options have names and defaults; an unknown option gets near matches."""
    track = registry.get_track(f"{file}:Mine")

    assert options_of(track) == {"power": 1.0}
    with pytest.raises(TrackError, match=r"no option powr\. Did you mean power"):
        check_options(track, {"powr": 2})


def test_source_hash_depends_on_source_and_estimator_options(file: Path) -> None:
    """The hash changes with the file, and with the options of an estimator; otherwise it stays the same."""
    before = track_sha256(registry.get_track(f"{file}:Mine"))
    same = track_sha256(registry.get_track(f"{file}:Mine"))
    file.write_text(GOOD + "\n# changed\n")
    after = track_sha256(registry.get_track(f"{file}:Mine"))
    forests = {track_sha256(pb.from_sklearn("forest", RandomForestClassifier(n))) for n in (10, 20)}

    assert (before == same, before == after, len(forests)) == (True, False, 2)


def test_source_hash_of_a_shipped_track_covers_its_imports() -> None:
    """Tracks of the same module have the same hash, those of other modules a different one."""
    forest, balanced, majority = (
        track_sha256(registry.get_track(name)) for name in ("forest-native", "balanced-forest-native", "majority")
    )

    assert forest == balanced
    assert forest != majority


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda scores: scores[:, :-1], r"returned shape \(80, 4\) of dtype float64; expected \(80, 5\)"),
        (lambda scores: scores[:-1], r"returned shape \(79, 5\)"),
        (lambda scores: scores * np.nan, "not finite for objects o3-0000, .* \\(80 in all\\)"),
        (lambda scores: scores * 2, "80 of 80 rows are not probabilities"),
        (lambda scores: scores - 0.5, "rows are not probabilities"),
        (lambda scores: scores.astype(str), "expected"),
    ],
)
def test_scores_that_are_not_probabilities_are_refused(
    change: object, message: str, subsets: dict[str, Objects]
) -> None:
    """The scores of a track are checked before they are stored."""
    scores = np.full((80, 5), 0.2)

    with pytest.raises(TrackError, match=message):
        Classification().checked(change(scores), subsets["test"], "mine")  # type: ignore[operator]


def test_instance_instead_of_class_is_refused() -> None:
    """The message states that a class was expected."""
    with pytest.raises(TrackError, match=r"expected a subclass of planktonbench\.Track"):
        check_track(registry.get_track("majority")(), "mine")


def test_inputs_that_were_not_requested_are_not_available() -> None:
    """The message explains how to request the native table."""
    with pytest.raises(TrackError, match=r"inputs = \{'native'\}"):
        _ = Objects(np.array(["a"], dtype=object), ("x",)).table
