"""The paragraph for a paper: what was run, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planktonbench import __version__
from planktonbench.reports.pages.methods_text import methods_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

FACTS = {"data_citation": "Nemo & Son (1870). Seas. Licence: CC0.", "source": "Verne 1870"}


def test_it_says_what_was_run(make_section: Callable[..., Section]) -> None:
    """Numbers of objects and taxa, the split, what was resampled, versions and machine; failed tracks are left out."""
    section = make_section(FACTS, {**FACTS, "seed": 1}, {"track": "lost", "status": "failed", "reason": "oh"})
    text = methods_text(section).paragraph
    expected = [
        "lake [data-lake] holds 63 objects of 3 taxa", "1 method of the suite planktonbench [planktonbench]",
        "good [method-good]", "21 for training, 21 for validation and 21 for testing (the first of 2 seeds or folds)",
        "over the 3 taxa with test objects, averaged over 2 runs", "2,000 bootstrap resamples of samples [davison1997]",
        f"planktonbench {__version__}; abacus, 1 thread a run.",
    ]  # fmt: skip

    assert [words for words in expected if words not in text] == []
    assert "lost" not in text


def test_every_reference_is_there_and_escaped(make_section: Callable[..., Section]) -> None:
    """Each key of the text has its entry, and the other way round."""
    told = methods_text(make_section(FACTS))
    cited = set(re.findall(r"\[([^\]]+)\]", told.paragraph))
    entries = set(re.findall(r"@\w+\{([^,]+),", told.bibtex))

    assert cited == entries
    assert r"note = {Nemo \& Son (1870). Seas. Licence: CC0.}" in told.bibtex
    assert told.bibtex.count("{") == told.bibtex.count("}")


def test_simulated_data_and_small_budgets_are_told(make_section: Callable[..., Section]) -> None:
    """Nobody can take them for a full result."""
    text = methods_text(make_section({"simulated": True, "quick": True})).paragraph

    assert "no result on them is a result on real plankton" in text
    assert "reduced budget (--quick)" in text


def test_without_samples_single_objects_are_told(make_section: Callable[..., Section]) -> None:
    """What was resampled is what the score says."""
    assert "resamples of single objects" in methods_text(make_section({"samples": 0})).paragraph


def test_without_a_finished_run_there_is_no_claim(make_section: Callable[..., Section]) -> None:
    """The data and the split are told, no score."""
    text = methods_text(make_section({"status": "failed", "reason": "oh"})).paragraph

    assert "No method finished." in text
    assert "macro F1" not in text
