"""Suites: shipped ones, user-supplied ones, and messages for invalid ones."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest
from planktonbench import SuiteError
from planktonbench.benchmarks.planning.methods import choose_methods
from planktonbench.benchmarks.suites.suite import load_suite, suite_names

WHOLE = """
name: my-lake
datasets:
  - flowcam
  - {name: lake, path: ../data/lake, background: dark, scale_bar: 31, pixel_size_um: 10.58}
tracks:
  - xgb-native
  - {track: xgb-native, as: xgb-soft, alpha: 0.5, features: native}
features: native+measured
split: {kind: kfold, folds: 5, grouped: true}
seeds: [3, 1]
budget: {minutes: 20}
quick: {candidates: 1}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A suite file that uses every key."""
    path = tmp_path / "suites" / "my-lake.yaml"
    path.parent.mkdir()
    path.write_text(WHOLE)
    return path


@pytest.mark.parametrize("name", suite_names())
def test_shipped_suites_are_valid(name: str) -> None:
    """Each shipped suite follows the schema, and its tracks exist and have the options that it sets."""
    suite = load_suite(name)

    assert suite.name == name
    assert len(choose_methods(suite, None, quick=True)) == len(suite.tracks)


def test_tox_installs_the_weights_that_a_suite_needs() -> None:
    """Otherwise its pretrained tracks are skipped."""
    tox = ConfigParser(interpolation=None)
    tox.read(Path(__file__).resolve().parents[3] / "tox.ini", "utf-8")
    pretrained = {"cnn-best", "cnn-lite0-pretrained"}
    environments = {
        f"testenv:bench-{name}"
        for name in suite_names()
        if pretrained & {entry.track for entry in load_suite(name).track_entries()}
    }

    assert environments >= {"testenv:bench-flowcam", "testenv:bench-ndsb"}
    assert all("pretrained" in tox[name]["extras"] for name in environments if name in tox)


def test_a_suite_file_is_read_completely(file: Path) -> None:
    """Paths of data sets are relative to the file; tracks have options and names, the split has its kind."""
    suite = load_suite(str(file))
    lake = suite.dataset_entries()[1]

    assert lake.path == file.parent.parent / "data" / "lake"
    assert [entry.stored_as or entry.track for entry in suite.track_entries()] == ["xgb-native", "xgb-soft"]
    assert suite.track_entries()[1].options == {"alpha": 0.5}
    assert suite.split.name == "grouped-kfold5"
    assert suite.seeds == (3, 1)
    assert (lake.background, lake.scale_bar, lake.pixel_size_um) == ("dark", 31, 10.58)


def test_a_track_may_use_its_own_feature_table(file: Path) -> None:
    """Its key `features` overrides that of the suite; it is not an option of the track."""
    methods = choose_methods(load_suite(str(file)), ["xgb-native", "xgb-soft", "majority"], quick=False)

    assert [method.features for method in methods] == ["native+measured", "native", "native+measured"]
    assert all("features" not in method.options for method in methods)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds: [3, 1]", "seds: [3, 1]", ["my-lake.yaml", "'seds' is unknown", "Did you mean seeds?"]),
        ("folds: 5", "flods: 5", ["'split.flods' is unknown", "Did you mean folds?"]),
        ("kind: kfold", "kind: kfolds", ["'split.kind' is 'kfolds'", "'holdout', 'kfold' or 'published'"]),
        ("seeds: [3, 1]", "seeds: [1, 1]", ["'seeds' is [1, 1]", "twice"]),
        ("seeds: [3, 1]", "seeds: []", ["'seeds' is []"]),
        ("name: my-lake", "name: My Lake", ["'name' is 'My Lake'"]),
        ("minutes: 20", "minutes: -1", ["'budget.minutes' is -1"]),
        ("features: native+measured", "features: both", ["'features' is 'both'", "'native', 'measured' or"]),
        (
            "- flowcam",
            "- {name: flowcam, background: dark}",
            ["background of 'flowcam' cannot be set without path", "path"],
        ),
        ("scale_bar: 31", "scale_bar: -1", ["scale_bar' is -1"]),
        ("name: lake", "name: flowcam", ["two data sets have the name 'flowcam'"]),
        (WHOLE, "- a list", ["should contain a mapping"]),
        (WHOLE, "name: [", ["is not valid YAML"]),
    ],
)
def test_errors_in_a_suite_name_file_field_and_value(file: Path, old: str, new: str, words: list[str]) -> None:
    """Unknown keys get near matches, invalid values are shown."""
    file.write_text(WHOLE.replace(old, new))

    with pytest.raises(SuiteError) as fault:
        load_suite(str(file))
    for word in words:
        assert word in str(fault.value)


def test_an_unknown_suite_gets_near_matches() -> None:
    """The message for `flowcm` suggests `flowcam`."""
    with pytest.raises(SuiteError, match=r"no suite named 'flowcm'\. Did you mean flowcam"):
        load_suite("flowcm")


def test_the_budget_is_passed_to_tracks_with_such_options(file: Path) -> None:
    """Minutes become an option of xgb-native; --quick uses the smaller budget; options of an entry take precedence."""
    suite = load_suite(str(file))
    usual = choose_methods(suite, None, quick=False)
    quick = choose_methods(suite, ["xgb-soft", "majority"], quick=True)

    assert [(method.name, method.options["minutes"], method.options["alpha"]) for method in usual] == [
        ("xgb-native", 20, None),
        ("xgb-soft", 20, 0.5),
    ]
    assert (quick[0].options["candidates"], quick[0].options["minutes"]) == (1, 15)
    assert quick[1].options == {}


def test_two_tracks_of_the_same_name_are_rejected(file: Path) -> None:
    """Their runs would share one folder."""
    with pytest.raises(SuiteError, match=r"Two tracks have the name 'majority'.*'as: "):
        choose_methods(load_suite(str(file)), ["majority", "majority"], quick=False)
