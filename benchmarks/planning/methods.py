"""Methods of a suite: its tracks with their options, budgets and base models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import SuiteError, TrackError, did_you_mean
from ...models.protocol.checks import check_options, check_track, options_of
from ...models.registry import get_track, is_file_reference, split_file_reference
from ...reports.tasks.catalogue import task_named
from ..execution.method import Method
from ..suites.suite import TrackEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ...models.protocol.track import Track
    from ..suites.suite import Suite


def choose_methods(suite: Suite, wanted: Sequence[str | type[Track]] | None, *, quick: bool) -> list[Method]:
    """Return the methods to run: the requested ones, or all of the suite.

    A requested name is looked up among the suite's entries first, so that their options apply, then among all tracks.

    Args:
        suite: the suite as it was read.
        wanted: names of methods, or classes of tracks; None for all of the suite.
        quick: whether the values of its key `quick` apply.

    Raises:
        TrackError: a track is unknown, breaks the protocol, or has no such option.
        SuiteError: two methods have the same name, or no track has an option of `quick`.

    """
    suite, common = suite.effective(quick=quick), suite.quick.options if quick else {}
    entries = {entry.stored_as or entry.track: entry for entry in suite.track_entries()}
    limits = suite.budget.limits()

    def find(item: str | type[Track]) -> Method:
        if isinstance(item, str):
            entry = entries.get(item, TrackEntry(track=item))
            found = _method(get_track(entry.track), _absolute(entry.track), entry, limits)
        else:
            found = _method(check_track(item, repr(item)), "", TrackEntry(track=item.name), limits)
        options = {name: common.get(name, value) for name, value in found.options.items()}
        return replace(found, options=options, features=found.features or suite.features)

    _check_common(common, entries.values())
    methods = [find(item) for item in (wanted if wanted is not None else entries)]
    names = [method.name for method in methods]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"Two tracks have the name '{twice[0]}'. Rename one of them with 'as: …' in the suite."
        raise SuiteError(message)
    chosen: dict[str, Method] = {}
    wanted_methods = {method.name: method for method in methods}
    for name in wanted_methods:
        _add_with_base_models(name, lambda base: wanted_methods.get(base) or find(base), chosen, ())
    return list(chosen.values())


def _check_common(common: Mapping[str, object], entries: Iterable[TrackEntry]) -> None:
    """Check that each option that `quick` sets for all tracks is one of some track of the suite.

    Raises:
        SuiteError: there is none; the message has near matches.

    """
    if not common:
        return
    known = {name for entry in entries for name in options_of(get_track(entry.track))}
    unknown = [name for name in common if name not in known]
    if unknown:
        message = (
            f"quick.options sets '{unknown[0]}', which no track of the suite has. {did_you_mean(unknown[0], known)}"
        )
        raise SuiteError(message)


def _add_with_base_models(
    name: str, find: Callable[[str], Method], chosen: dict[str, Method], above: tuple[str, ...]
) -> None:
    """Add a method after its base models and the track that it continues, each once.

    Raises:
        SuiteError: the method is built on itself.
        TrackError: it continues a track that cannot be kept.

    """
    if name in above:
        message = f"Track '{name}' is built on itself: {' → '.join((*above, name))}. Name another base model."
        raise SuiteError(message)
    if name in chosen:
        return
    method = find(name)
    for base in method.base_models:
        _add_with_base_models(base, find, chosen, (*above, name))
    _check_continues(method, chosen)
    chosen[name] = replace(method, base_methods=tuple(chosen[base] for base in method.base_models))


def _check_continues(method: Method, chosen: dict[str, Method]) -> None:
    """Check that a track continues one that can be kept.

    Raises:
        TrackError: it does not.

    """
    if method.continues and not chosen[method.continues].track.can_be_kept:
        message = (
            f"Track '{method.name}' continues '{method.continues}', which cannot be kept; expected a track with save "
            "and load. Implement them, or name another track."
        )
        raise TrackError(message)


def _absolute(reference: str) -> str:
    """Make the path of `path.py:Class` absolute, since a worker has a different working directory."""
    if not is_file_reference(reference):
        return reference
    path, member = split_file_reference(reference)
    return f"{path}:{member}" if member else str(path)


def _method(track: type[Track], reference: str, entry: TrackEntry, limits: dict[str, Any]) -> Method:
    task_named(track.task)  # before anything is stored
    check_options(track, entry.options)
    known = options_of(track)
    budget = {name: value for name, value in limits.items() if name in known}
    options = {**known, **budget, **entry.options}
    return Method(entry.stored_as or track.name, track, reference, options, entry.features)
