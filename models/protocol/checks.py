"""Checks of the track protocol: class and options."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import TrackError, did_you_mean, listed
from .track import Track

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NAME = r"[a-z0-9][a-z0-9._-]*"


INPUTS = frozenset({"native", "images"})


def options_of(track: type[Track]) -> dict[str, Any]:
    """Return the options of a track with their defaults, that is, the keyword arguments of its constructor."""
    parameters = inspect.signature(track).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def check_options(track: type[Track], options: Mapping[str, Any]) -> None:
    """Check that a track has the given options.

    Raises:
        TrackError: an option is unknown; near matches are suggested.

    """
    known = options_of(track)
    unknown = [name for name in options if name not in known]
    if unknown:
        message = f"Track '{track.name}' has no option {listed(unknown)}. {did_you_mean(unknown[0], known)}"
        raise TrackError(message)


def check_choice(option: str, value: object, choices: Collection[str]) -> None:
    """Check that the value of an option is one of its choices.

    Raises:
        TrackError: it is not; near matches are suggested.

    """
    if value not in choices:
        message = f"Option {option} is {value!r}. {did_you_mean(str(value), choices)}"
        raise TrackError(message)


def check_track(track: object, where: str) -> type[Track]:
    """Check a class against the track protocol before anything runs.

    Args:
        track: the class to check.
        where: how the user referred to it, for the message.

    Raises:
        TrackError: the class is not a Track, has no valid name, requests unknown inputs, or one of its methods has a
            different signature; the message shows the actual and the expected one.

    """
    if not (isinstance(track, type) and issubclass(track, Track)):
        message = f"{where} is {type(track).__name__} {track!r}; expected a subclass of planktonbench.Track."
        raise TrackError(message)
    name = getattr(track, "name", None)
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        message = f"{where}: name is {name!r}; expected lower-case words joined by hyphens, such as 'my-method'."
        raise TrackError(message)
    inputs = getattr(track, "inputs", None)
    if not isinstance(inputs, (set, frozenset)) or not inputs or inputs - INPUTS:
        message = f"{where}: inputs is {inputs!r}; expected {{'native'}}, {{'images'}} or both."
        raise TrackError(message)
    task = getattr(track, "task", None)
    if not isinstance(task, str):
        message = f"{where}: task is {task!r}; expected the name of a task, such as 'classification'."
        raise TrackError(message)
    for method, expected in (("fit", Track.fit), ("predict", Track.predict)):
        _check_signature(track, method, inspect.signature(expected), where)
    _check_constructor(track, where)
    _check_keeping(track, where)
    return track


def _check_signature(track: type[Track], method: str, expected: inspect.Signature, where: str) -> None:
    found = inspect.signature(getattr(track, method))
    wanted = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in expected.parameters.values()]
    shown = inspect.Signature(wanted)
    positional = [object() for parameter in wanted if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    keywords = {p.name: None for p in wanted if p.kind is inspect.Parameter.KEYWORD_ONLY}
    abstract = getattr(getattr(track, method), "__isabstractmethod__", False)
    try:
        found.bind(*positional, **keywords)
    except TypeError as fault:
        message = f"{where}: {method}{found} does not match the protocol; expected {method}{shown}. ({fault})"
        raise TrackError(message) from fault
    if abstract:
        message = f"{where} has no method {method}; expected {method}{shown}."
        raise TrackError(message)


def _check_keeping(track: type[Track], where: str) -> None:
    """Check that a track which can be kept has its own `save` and `load`."""
    if not track.can_be_kept:
        return
    for method, inherited in (("save", Track.save), ("load", Track.load)):
        if getattr(track, method) is inherited:
            message = (
                f"{where}: can_be_kept is {track.can_be_kept!r}, but it has no {method}; expected "
                f"{method}(self, folder). Implement save and load, or set can_be_kept to False."
            )
            raise TrackError(message)
        _check_signature(track, method, inspect.signature(inherited), where)


def _check_constructor(track: type[Track], where: str) -> None:
    for parameter in inspect.signature(track).parameters.values():
        variadic = parameter.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        if variadic or parameter.default is inspect.Parameter.empty:
            message = (
                f"{where}: constructor argument '{parameter}' has no default. "
                "A track is constructed from its options alone; give each argument a default."
            )
            raise TrackError(message)
