"""Methods text for a paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planktonbench import __version__
from planktonbench.reports.comparisons.leaderboard import leaderboards_of
from planktonbench.reports.comparisons.paired_evaluation import Resampling
from planktonbench.reports.pages import methods_text as module

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.pages.methods_text import MethodsText
    from planktonbench.reports.results.section import Section

MANY = {"Copepoda": 60, "detritus": 90, "egg (other)": 45}
FACTS = {"data_citation": "Nemo & Son (1870). Seas. Licence: CC0.", "source": "Verne 1870"}


def methods_text(section: Section) -> MethodsText:
    """Return the text of a section whose tracks are compared."""
    (leaderboard,) = leaderboards_of([section], Resampling(draws=20))
    return module.methods_text(leaderboard.section, leaderboard.standings)


def test_the_text_describes_the_runs(make_section: Callable[..., Section]) -> None:
    """It states data, split, resampling, versions and machine; failed tracks are not mentioned."""
    section = make_section(FACTS, {**FACTS, "seed": 1}, {"track": "lost", "status": "failed", "reason": "oh"})
    text = methods_text(section).paragraph
    expected = [
        "lake [data-lake] contains 63 objects of 3 taxa", "1 method was evaluated with planktonbench [planktonbench]",
        "good [method-good]", "21 for training, 21 for validation and 21 for testing (the first of 2 seeds or folds)",
        "over the 3 taxa with test objects, averaged over 2 runs",
        "the jackknife over samples with Student's t [efron1981], with a component for the variation over runs",
        ", those of scores on the arcsine scale [bartlett1936].",
        f"planktonbench {__version__}; abacus, 1 thread per run.",
    ]  # fmt: skip

    assert [phrase for phrase in expected if phrase not in text] == []
    assert "lost" not in text


def test_references_are_complete_and_escaped(make_section: Callable[..., Section]) -> None:
    """The keys cited in the text are those of the BibTeX entries."""
    text = methods_text(make_section(FACTS))
    cited = set(re.findall(r"\[([^\]]+)\]", text.paragraph))
    entries = set(re.findall(r"@\w+\{([^,]+),", text.bibtex))

    assert cited == entries
    assert r"note = {Nemo \& Son (1870). Seas. Licence: CC0.}" in text.bibtex
    assert text.bibtex.count("{") == text.bibtex.count("}")


def test_simulated_data_and_reduced_budgets_are_stated(make_section: Callable[..., Section]) -> None:
    """They cannot be mistaken for full results."""
    text = methods_text(make_section({"simulated": True, "quick": True})).paragraph

    assert "these are not results on real plankton" in text
    assert "reduced budget (--quick)" in text


def test_selected_and_withheld_classes_are_stated(make_section: Callable[..., Section]) -> None:
    """With the number from which they were selected, the condition, and the name of the data set they are from."""
    chosen = {"manifest": "sea", "selected": {"of": 9, "min_objects": 5}, "withheld": ["detritus", "egg (other)"]}
    text = methods_text(make_section({**FACTS, **chosen})).paragraph

    assert text.startswith(
        "33 objects of 3 taxa of the data set sea [data-lake] were used. These taxa were selected from its 9, each "
        "with at least 5 objects. detritus, egg (other) were withheld: no objects of these taxa were given for "
        "training or validation."
    )
    assert "over the 3 taxa with test objects, withheld ones included; 95 %" in text


def test_single_objects_as_units_are_stated(make_section: Callable[..., Section]) -> None:
    """Without samples the text states that the units are single objects."""
    assert "jackknife over single objects" in methods_text(make_section({"samples": 0})).paragraph


def test_only_what_the_cards_show_is_stated(make_section: Callable[..., Section]) -> None:
    """How submitted predictions were made is unknown; a truth file is not certified, and tracks are named."""
    submitted = {"track": "mine", "config": {"track": "predictions-file", "file": "mine.csv"}, "wrong": 0}
    section = make_section({}, {"track": "blind", "labels": "none"}, {**submitted, "versions": {}, "machine": ""})
    text = methods_text(section).paragraph
    expected = [
        "From planktonbench, good received the labels of training and validation objects only.",
        "blind received no labels.",
        "The predictions of mine were submitted as files; how they were made,",
        "and whether labels of test objects were used, is not known.",
        "The predictions of mine equal the labels of all test objects, which makes their origin doubtful.",
        "Test objects were evaluated 3 times in this results folder: 3 stored runs,",
        "of which 1 was a submitted file of predictions.",
        "Evaluations elsewhere are not counted.",
    ]

    assert [phrase for phrase in expected if phrase not in text] == []
    assert "abacus, 1 thread per run." in text
    assert "scored once" not in text
    assert "all choices" not in text


def test_continued_runs_are_stated(make_section: Callable[..., Section]) -> None:
    """Tracks that start from the same fitted model share a sentence; the model itself has none."""
    continued = {"base_runs": {"good": "a"}, "continues": "good"}
    text = methods_text(make_section({}, continued | {"track": "mi"}, continued | {"track": "ri"})).paragraph

    sentence = "mi, ri started from the fitted model of good, which was trained on the same training objects."
    assert text.count(sentence) == text.count("started from") == 1


def test_without_a_finished_run_no_score_is_stated(make_section: Callable[..., Section]) -> None:
    """The text describes only data and split."""
    text = methods_text(make_section({"status": "failed", "reason": "oh"})).paragraph

    assert "No method finished." in text
    assert "macro F1" not in text


def test_runs_are_those_that_are_compared(make_section: Callable[..., Section]) -> None:
    """Not the largest number of runs of any track: two of three tracks have one run, so that this is one run each."""
    runs = [{"track": "a", "seed": seed, "taxa": MANY} for seed in range(3)]
    section = make_section(*runs, *({"track": track, "wrong": 20, "taxa": MANY} for track in "bc"))
    text = methods_text(section).paragraph

    assert "averaged over" not in text
    assert "variation over runs" not in text
    assert "All pairs were compared with Holm's correction [holm1979]" in text
    assert "conclusions are about these fitted models, not about the methods in general" in text


def test_moderation_is_stated_if_three_methods_vary(make_section: Callable[..., Section]) -> None:
    """Two varying methods and a constant one keep their own variances; a track without these runs is not compared."""
    few = [
        {"track": track, "seed": seed, "wrong": wrong * (1 + seed), "taxa": MANY}
        for seed in (0, 1)
        for track, wrong in (("a", 3), ("b", 6), ("constant", 0))
    ]
    short = {"track": "short", "taxa": MANY}
    assert "moderated" not in methods_text(make_section(*few)).paragraph
    text = methods_text(
        make_section(
            {"track": "c", "wrong": 9, "taxa": MANY}, {"track": "c", "seed": 1, "wrong": 20, "taxa": MANY}, short
        )
    ).paragraph

    assert "averaged over 2 runs" in text
    assert "moderated over methods [smyth2004]" in text
    assert "Holm's correction [holm1979], and the studentized range for variances of few runs [games1976]" in text
    assert "All pairs of 4 methods with the same runs were compared" in text
    assert "conclusions are about the methods." in text
