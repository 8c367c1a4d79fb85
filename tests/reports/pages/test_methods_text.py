"""Methods text for a paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planktonbench import __version__
from planktonbench.reports.pages.methods_text import methods_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

FACTS = {"data_citation": "Nemo & Son (1870). Seas. Licence: CC0.", "source": "Verne 1870"}


def test_the_text_describes_the_runs(make_section: Callable[..., Section]) -> None:
    """It states data, split, resampling, versions and machine; failed tracks are not mentioned."""
    section = make_section(FACTS, {**FACTS, "seed": 1}, {"track": "lost", "status": "failed", "reason": "oh"})
    text = methods_text(section).paragraph
    expected = [
        "lake [data-lake] contains 63 objects of 3 taxa", "1 method was evaluated with planktonbench [planktonbench]",
        "good [method-good]", "21 for training, 21 for validation and 21 for testing (the first of 2 seeds or folds)",
        "over the 3 taxa with test objects, averaged over 2 runs",
        "the jackknife over samples with Student's t [efron1981], with a component for the variation over runs",
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


def test_without_a_finished_run_no_score_is_stated(make_section: Callable[..., Section]) -> None:
    """The text describes only data and split."""
    text = methods_text(make_section({"status": "failed", "reason": "oh"})).paragraph

    assert "No method finished." in text
    assert "macro F1" not in text
