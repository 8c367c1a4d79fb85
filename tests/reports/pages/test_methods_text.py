"""Methods text for a paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
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
        "the jackknife over samples with Student's t [efron1981]",
        "a component for the variation over runs, corrected for overlapping training sets [nadeau2003].",
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


def test_objects_as_units_are_stated(make_section: Callable[..., Section]) -> None:
    """Without samples the text states that single objects are the units."""
    assert "the jackknife over single objects with" in methods_text(make_section({"samples": 0})).paragraph


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ((0,), "with Student's t [efron1981]. All pairs"),
        ((0, 3), "for the variation over runs, moderated over methods [smyth2004]. All pairs"),
        (
            (0, 1),
            "over runs, corrected for overlapping training sets [nadeau2003], moderated over methods [smyth2004].",
        ),
    ],
)
def test_only_what_was_done_is_stated(
    make_section: Callable[..., Section], seeds: tuple[int, ...], expected: str
) -> None:
    """One split has no overlap of training sets, and one run no variation; the claim is about what varied."""
    runs = [{"track": f"t{k}", "wrong": 1 + k, "seed": seed} for k in range(3) for seed in seeds]
    text = methods_text(make_section(*runs))
    about = "the methods." if len(seeds) > 1 else "these fitted models, not about the methods in general."

    assert expected in text.paragraph
    assert f"All pairs were compared with Holm's correction [holm1979]; conclusions are about {about}" in text.paragraph
    for key in ("efron1981", "holm1979", "nadeau2003", "smyth2004"):
        assert (f"@article{{{key}," in text.bibtex) is (f"[{key}]" in text.paragraph)


def test_without_a_finished_run_no_score_is_stated(make_section: Callable[..., Section]) -> None:
    """The text describes only data and split."""
    text = methods_text(make_section({"status": "failed", "reason": "oh"})).paragraph

    assert "No method finished." in text
    assert "macro F1" not in text
