"""Suites: shipped ones, user-supplied ones, and messages for invalid ones."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest
from planktonbench import SuiteError
from planktonbench.benchmarks.planning.methods import choose_methods
from planktonbench.benchmarks.run import with_choices
from planktonbench.benchmarks.suites.suite import load_suite, suite_names
from planktonbench.data_manifests.class_selection.selection import ClassSelection

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
    for quick in (False, True):
        assert len(choose_methods(suite, None, quick=quick)) == len(suite.effective(quick=quick).tracks)


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


SELECTED = """
name: five
datasets:
  - ndsb
  - {name: five, manifest: ndsb, classes: [artifacts, amphipods], withhold: [amphipods]}
  - {name: lake, path: ../data/lake, min_objects: 50}
tracks:
  - {track: cnn-lenet, side: 64, epochs: 9}
  - {track: xgb-native, minutes: 7}
  - majority
split: {kind: kfold, folds: 3}
budget: {minutes: 20, epochs: 30}
quick:
  datasets: [{name: pond, path: ../data/pond}]
  tracks: [{track: cnn-lenet, side: 64, epochs: 9}, majority]
  features: measured
  split: {kind: kfold, folds: 3, only_folds: [0]}
  seeds: [5]
  budget: {epochs: 2}
  options: {side: 48}
"""


@pytest.fixture
def selected(tmp_path: Path) -> Path:
    """A suite file with selections of classes, whose values are all replaced by `quick`."""
    path = tmp_path / "suites" / "five.yaml"
    path.parent.mkdir()
    path.write_text(SELECTED)
    return path


def test_entries_select_and_withhold_classes(selected: Path) -> None:
    """With a manifest that several share, or with a path."""
    whole, five, lake = load_suite(str(selected)).dataset_entries()

    assert (whole.selection, whole.label) == (ClassSelection(), "")
    assert five.selection == ClassSelection(("artifacts", "amphipods"), None, ("amphipods",))
    assert (five.manifest_name, five.label) == ("ndsb", "five")
    assert five.source == whole.source
    assert (lake.selection, lake.label, lake.properties) == (ClassSelection(min_objects=50), "", {"name": "lake"})


def test_quick_replaces_any_value_of_a_suite(selected: Path) -> None:
    """Paths in it are relative to the file, too; without --quick, nothing changes."""
    suite = load_suite(str(selected))
    quick = suite.effective(quick=True)

    assert suite.effective(quick=False) == suite
    assert [(entry.name, entry.path) for entry in quick.dataset_entries()] == [
        ("pond", selected.parent.parent / "data" / "pond")
    ]
    assert [entry.track for entry in quick.track_entries()] == ["cnn-lenet", "majority"]
    assert (quick.features, quick.seeds, quick.split.split_names()) == ("measured", (5,), ["kfold3.v1-fold0"])
    assert quick.budget.limits() == {"epochs": 2}


def test_options_of_quick_take_precedence_over_those_of_an_entry(selected: Path) -> None:
    """They reach each track that has such an option, also one that the suite does not contain; a budget does not."""
    suite = load_suite(str(selected))
    usual = choose_methods(suite, ["cnn-lenet", "majority"], quick=False)
    quick = choose_methods(suite, ["cnn-lenet", "majority", "cnn-best"], quick=True)

    assert [(usual[0].options[name]) for name in ("side", "epochs", "minutes")] == [64, 9, 20]
    assert [(quick[0].options[name]) for name in ("side", "epochs")] == [48, 9]
    assert [(quick[2].options[name]) for name in ("side", "epochs")] == [48, 2]
    assert quick[1].options == {}


def test_what_quick_lacks_stays_as_it_is(selected: Path) -> None:
    """The budget, too."""
    text = SELECTED[: SELECTED.index("quick:")]
    selected.write_text(f"{text}quick: {{seeds: [1]}}")
    suite = load_suite(str(selected))
    quick = suite.effective(quick=True)

    assert quick.model_copy(update={"seeds": suite.seeds}) == suite
    assert quick.seeds == (1,)


def test_choices_of_a_call_apply_with_quick_too(selected: Path) -> None:
    """They are more specific than the suite."""
    suite = with_choices(load_suite(str(selected)), [7], "holdout", None)
    quick = suite.effective(quick=True)

    assert (quick.seeds, quick.split.name, quick.features) == ((7,), "holdout", "measured")
    assert (suite.seeds, suite.split.name) == ((7,), "holdout")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("withhold: [amph", "withold: [amph", ["withold' is unknown. Did you mean withhold?"]),
        ("classes: [artifacts, amphipods]", "classes: [artifacts]", ["classes' is ['artifacts']", "at least 2 items"]),
        ("[amphipods]}", "[amphipods, amphipods]}", ["withhold' is ['amphipods', 'amphipods']", "occurs twice"]),
        ("min_objects: 50", "min_objects: 0", ["min_objects' is 0", "greater than 0"]),
        ("name: five, manifest", "name: flowcam, manifest", ["'flowcam' is the name of another manifest than ndsb"]),
        (
            "min_objects: 50",
            "manifest: ndsb, scale_bar: 3",
            ["scale_bar of 'lake' cannot be set with a manifest; the manifest defines them"],
        ),
        ("seeds: [5]", "seds: [5]", ["'quick.seds' is unknown", "Did you mean seeds?"]),
        ("seeds: [5]", "epochs: 3", ["epochs and budget cannot both be set"]),
        (
            "only_folds: [0]",
            "only_folds: [4]",
            ["'quick.split' is", "only_folds is [4]; expected"],
        ),
        ("name: pond, path: ../data/pond", "name: a}, {name: a", ["two data sets have the name 'a'"]),
    ],
)
def test_errors_in_selections_and_quick_are_explained(selected: Path, old: str, new: str, words: list[str]) -> None:
    """As for all other keys."""
    assert old in SELECTED
    selected.write_text(SELECTED.replace(old, new))

    with pytest.raises(SuiteError) as fault:
        load_suite(str(selected))
    assert [word for word in words if word not in str(fault.value)] == []


def test_an_option_of_quick_that_no_track_has_is_rejected(selected: Path) -> None:
    """It gets near matches; an option of a track that is not run is none of these."""
    selected.write_text(SELECTED.replace("options: {side: 48}", "options: {sides: 48}"))

    assert choose_methods(load_suite(str(selected)), ["majority"], quick=False)
    with pytest.raises(SuiteError, match=r"quick\.options sets 'sides', which no track .* Did you mean side"):
        choose_methods(load_suite(str(selected)), ["majority"], quick=True)
