"""Methods paragraph of a paper with its references, generated from the cards of the runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._version import __version__
from ..comparisons.corrected_t import SPLIT_DESIGNS
from ..results.looks import in_words as looks_in_words
from ..tasks.catalogue import task_named
from .leaderboard_export import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..comparisons.leaderboard import Standing
    from ..results.section import Section
    from ..run_files.card import CardData

STATISTICS = {
    "bartlett1936": """@article{bartlett1936,
  author = {Bartlett, M. S.},
  title = {The Square Root Transformation in Analysis of Variance},
  journal = {Supplement to the Journal of the Royal Statistical Society},
  volume = {3},
  pages = {68--78},
  year = {1936},
  doi = {10.2307/2983678}
}""",
    "efron1981": """@article{efron1981,
  author = {Efron, B. and Stein, C.},
  title = {The Jackknife Estimate of Variance},
  journal = {The Annals of Statistics},
  volume = {9},
  pages = {586--596},
  year = {1981},
  doi = {10.1214/aos/1176345462}
}""",
    "games1976": """@article{games1976,
  author = {Games, P. A. and Howell, J. F.},
  title = {Pairwise Multiple Comparison Procedures with Unequal N's and/or Variances: A Monte Carlo Study},
  journal = {Journal of Educational Statistics},
  volume = {1},
  pages = {113--125},
  year = {1976},
  doi = {10.3102/10769986001002113}
}""",
    "holm1979": """@article{holm1979,
  author = {Holm, S.},
  title = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  pages = {65--70},
  year = {1979}
}""",
    "nadeau2003": """@article{nadeau2003,
  author = {Nadeau, C. and Bengio, Y.},
  title = {Inference for the Generalization Error},
  journal = {Machine Learning},
  volume = {52},
  pages = {239--281},
  year = {2003},
  doi = {10.1023/A:1024068626366}
}""",
    "smyth2004": """@article{smyth2004,
  author = {Smyth, G. K.},
  title = {Linear Models and Empirical Bayes Methods for Assessing Differential Expression in Microarray Experiments},
  journal = {Statistical Applications in Genetics and Molecular Biology},
  volume = {3},
  year = {2004},
  doi = {10.2202/1544-6115.1027}
}""",
}
"""Sources of the statistics, by key."""
PROGRAM = f"""@software{{planktonbench,
  author = {{{{The planktonbench developers}}}},
  title = {{planktonbench}},
  version = {{{__version__}}}
}}"""
UNLABELLED = "{tracks} received no labels."
LABELLED = "From planktonbench, {tracks} received the labels of training and validation objects only."
SUBMITTED = (
    "The predictions of {tracks} were submitted as files; how they were made, and whether labels of test objects were "
    "used, is not known."
)
CONTINUED = "{{tracks}} started from the fitted model of {base}, which was trained on the same training objects."
PERFECT = "The predictions of {tracks} equal the labels of all test objects, which makes their origin doubtful."
PAIR = 2  # methods, whose comparison needs no correction
LIBRARIES = ("scikit-learn", "xgboost", "keras", "tensorflow", "torch", "jax")


@dataclass(frozen=True)
class MethodsText:
    """Methods text of a section.

    Attributes:
        paragraph: plain text; references are BibTeX keys in brackets.
        bibtex: the references, as BibTeX.

    """

    paragraph: str
    bibtex: str


def methods_text(section: Section, standings: Mapping[str, Standing]) -> MethodsText:
    """Return the paragraph and the references of a section.

    It states only what the cards show: how submitted predictions were made, or how a method was developed, is unknown.
    References of data sets and methods are those of their cards; only finished tracks are mentioned.

    Args:
        section: the results.
        standings: standing of each compared track, with the number and the design of its runs.

    """
    data = list(dict.fromkeys(run.card.data.citation for run in section.runs if run.card.data.citation))
    sources = {track.name: track.card.track.source for track in section.done if track.card.track.source}
    data_keys = {text: _key("data", section.dataset, number) for number, text in enumerate(data)}
    track_keys: dict[str, str] = {}
    for name, text in sources.items():
        track_keys.setdefault(text, _key("method", name, 0))
    notes = {**data_keys, **track_keys}
    paragraph = " ".join(
        [
            _data(section, list(data_keys.values())),
            _methods(section, sources, track_keys),
            _split(section),
            *_origins(section),
            *_tasks(section),
            looks_in_words(section),
            _scores(section, standings),
            _versions(section),
        ]
    )
    cited = [entry for key, entry in STATISTICS.items() if key in paragraph]
    entries = [PROGRAM, *cited, *(f"@misc{{{key},\n  note = {{{escaped(text)}}}\n}}" for text, key in notes.items())]
    return MethodsText(paragraph, "\n\n".join(entries) + "\n")


def _key(kind: str, name: str, number: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    return f"{kind}-{plain}" + (f"-{number + 1}" if number else "")


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _data(section: Section, keys: list[str]) -> str:
    n, data = int(section.class_sizes.sum()), section.runs[0].card.data
    cited = "".join(f" [{key}]" for key in keys)
    chosen = [*_selected(data), *_withheld(section)]
    if section.simulated:
        text = (
            f"{n:,} objects of {len(section.class_sizes)} taxa were simulated in the style of "
            f"{data.manifest or data.name}{cited}; these are not results on real plankton."
        )
    elif chosen:
        name = data.manifest or data.name
        text = f"{n:,} objects of {len(section.class_sizes)} taxa of the data set {name}{cited} were used."
    else:
        text = f"The data set {section.dataset}{cited} contains {n:,} objects of {len(section.class_sizes)} taxa."
    return " ".join([text, *chosen])


def _selected(data: CardData) -> list[str]:
    """State how the classes were selected; nothing if all are used."""
    if data.selected is None:
        return []
    fewest = data.selected.min_objects
    condition = "" if fewest is None else f", each with at least {_counted(fewest, 'object')}"
    return [f"These taxa were selected from its {data.selected.of:,}{condition}."]


def _withheld(section: Section) -> list[str]:
    """State which classes were withheld; nothing if there are none."""
    if not section.withheld:
        return []
    names, several = section.withheld, len(section.withheld) > 1
    was = f"{', '.join(names)} {'were' if several else 'was'} withheld"
    return [f"{was}: no objects of {'these taxa' if several else 'this taxon'} were given for training or validation."]


def _methods(section: Section, sources: dict[str, str], keys: dict[str, str]) -> str:
    methods = [
        name + (f" [{keys[sources[name]]}]" if name in sources else "")
        for name in (track.name for track in section.done)
    ]
    if not methods:
        return "No method finished."
    compared = "method was evaluated" if len(methods) == 1 else "methods were compared"
    return f"{len(methods):,} {compared} with planktonbench [planktonbench]: {', '.join(methods)}."


def _tasks(section: Section) -> list[str]:
    """Return a sentence for each task that needs one."""
    return _sentences((task_named(track.card.track.task).methods, track.name) for track in section.done)


def _origins(section: Section) -> list[str]:
    """Return sentences on the origin of predictions, as far as the cards of the runs state it."""
    labels = {"all": LABELLED, "none": UNLABELLED}
    origins = [
        (SUBMITTED if track.card.track.is_submitted else labels[track.card.track.labels], track.name)
        for track in section.done
    ]
    starts = ((CONTINUED.format(base=base), name) for name, base in _continued(section))
    return _sentences([*origins, *starts, *((PERFECT, track.name) for track in section.done if track.n_perfect)])


def _continued(section: Section) -> list[tuple[str, str]]:
    """Return each track that continues another one, with that one."""
    pairs = ((track.name, track.card.track.continues) for track in section.done)
    return [(name, base) for name, base in pairs if base]


def _sentences(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return each text once, with the names of all tracks to which it applies; empty texts are skipped."""
    tracks: dict[str, list[str]] = {}
    for text, name in pairs:
        tracks.setdefault(text, []).append(name)
    return [text.format(tracks=", ".join(names)) for text, names in tracks.items() if text]


def _split(section: Section) -> str:
    sizes, runs = section.subset_sizes, len(section.subset_sizes)
    first = sizes.iloc[0]
    counts = f"{first['train']:,} for training, {first['valid']:,} for validation and {first['test']:,} for testing"
    several = f" (the first of {runs} seeds or folds)" if runs > 1 else ""
    return f"With the split {section.split}, the objects were divided into {counts}{several}."


def _scores(section: Section, standings: Mapping[str, Standing]) -> str:
    if not standings:
        return ""
    n_classes, compared = section.done[0].scores[0].classes_scored, next(iter(standings.values()))
    mean = f", averaged over {compared.n_runs} runs" if compared.n_runs > 1 else ""
    included = ", withheld ones included" if section.withheld else ""
    return (
        f"Methods were ranked by macro F1, the mean of F1 over the {n_classes} taxa with test objects{included}{mean}; "
        f"95 % intervals are from the jackknife over {section.drawn_by} with Student's t [efron1981]"
        f"{_over_runs(compared)}, those of scores on the arcsine scale [bartlett1936]."
        f"{_comparisons(section, standings)}"
    )


def _over_runs(compared: Standing) -> str:
    """State how the variation over runs enters the intervals; nothing for single runs."""
    if compared.n_runs == 1:
        return ""
    overlap = ", corrected for overlapping training sets [nadeau2003]" if compared.design in SPLIT_DESIGNS else ""
    moderated = ", moderated over methods [smyth2004]" if compared.is_moderated else ""
    return f", with a component for the variation over runs{overlap}{moderated}"


def _comparisons(section: Section, standings: Mapping[str, Standing]) -> str:
    """State how the methods were compared, and what the comparison is about."""
    if len(standings) == 1:
        return ""
    compared = next(iter(standings.values()))
    claims = {"methods": "the methods", "fitted models": "these fitted models, not about the methods in general"}
    about = claims[compared.claim]
    some = f" of {len(standings)} methods with the same runs" if len(standings) < len(section.done) else ""
    several = len(standings) > PAIR and compared.n_runs > 1
    of_range = ", and the studentized range for variances of few runs [games1976]" if several else ""
    return f" All pairs{some} were compared with Holm's correction [holm1979]{of_range}; conclusions are about {about}."


def _versions(section: Section) -> str:
    fitted = [run.card for run in section.runs if not run.card.track.is_submitted]
    if not fitted:
        return f"planktonbench {__version__}."
    card = fitted[0]
    found = [f"{name} {card.versions[name]}" for name in LIBRARIES if name in card.versions]
    budget = " Some runs used a reduced budget (--quick)." if any(run.card.quick for run in section.runs) else ""
    program = ", ".join([f"planktonbench {__version__}", *found])
    machine = card.cost.machine or "machine not recorded"
    return f"{program}; {machine}, {_counted(card.cost.threads, 'thread')} per run.{budget}"
