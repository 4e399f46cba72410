"""Find sources, notifiers and systems to act on by entry point, and import only the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from governance.core.operation import Operation, said
from governance.core.organisation import Organisation, Plugin
from governance.core.own_act import OWN_ACTS, OWN_SYSTEMS
from governance.core.suggestion import closest
from governance.errors import InvalidDocument
from governance.ports import ReadsBack

SOURCES = "governance.sources"
ACTIONS = "governance.actions"
ACTS = "governance.acts"
SECTIONS = {SOURCES: "sources", ACTIONS: "notifiers", ACTS: "acts"}
"""The section of org.yaml that names the plug-ins of each group."""
_UNASKED = ("http",)
"""Systems that need no settings: they exist under their kind, and reach nothing until org.yaml allows it."""
_BY_NOTIFIER = {"slack"}
"""Systems that are there with a notifier of their kind, by whose settings they act."""


@cache
def kinds(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by kind."""
    return {each.name: each for each in entry_points(group=group)}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a plug-in's settings, and below which of them."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""


def wrongs(group: str, plugin: Plugin) -> list[Wrong]:
    """Return everything that is wrong with a plug-in's kind and settings; nothing is asked of what it names."""
    known = kinds(group)
    if plugin.kind not in known:
        hint = closest(plugin.kind, known) or "known: " + ", ".join(sorted(known))
        return [Wrong(("kind",), f"no kind '{plugin.kind}'", hint)]
    config: type[BaseModel] = known[plugin.kind].load().Config
    try:
        config.model_validate(plugin.settings())
    except ValidationError as error:
        return [Wrong(each["loc"], said(each)) for each in error.errors()]
    return []


def wrongs_of(organisation: Organisation) -> list[tuple[str, str, Wrong]]:
    """Return everything that is wrong with an organisation's plug-ins: the section, the name, what it is."""
    found = [
        (section, name, wrong)
        for group, section in SECTIONS.items()
        for name, plugin in getattr(organisation, section).items()
        for wrong in wrongs(group, plugin)
    ]
    taken = "is the engine itself; give this system another name"
    return found + [("acts", each, Wrong((), f"'{each}' {taken}")) for each in organisation.acts if each in OWN_SYSTEMS]


def systems(organisation: Organisation) -> dict[str, Plugin]:
    """Return the systems that runbooks can act on, by name; those of another's kind that is wrong too."""
    told_by = {each.kind for each in organisation.notifiers.values()}
    unasked = {kind: Plugin(kind=kind) for kind in (*_UNASKED, *(told_by & _BY_NOTIFIER)) if kind in kinds(ACTS)}
    return {**unasked, **organisation.acts}


def operations(organisation: Organisation) -> dict[str, Operation]:
    """Return what steps of runbooks can ask for, by `<system>.<operation>`; no client library is imported."""
    known = kinds(ACTS)
    found = dict(OWN_ACTS)
    for name, plugin in systems(organisation).items():
        if plugin.kind in known:
            found |= {each.name: each for each in offered(known[plugin.kind].load(), name)}
    return found


def offered(system: Any, name: str) -> list[Operation]:
    """Return the operations of a class of systems, as one of this name offers them."""
    back, said_so = issubclass(system, ReadsBack), system.REPEATS
    repeats = said_so if isinstance(said_so, frozenset) else frozenset()  # of some only the settings tell
    return [
        Operation(f"{name}.{each}", document, system.OUTPUTS.get(each, {}), each in repeats, back)
        for each, document in system.OPERATIONS.items()
    ]


def built(group: str, name: str, plugin: Plugin, *, directory: Path) -> Any:
    """Build a plug-in from its settings; paths in them are relative to `directory`.

    :raises InvalidDocument: when there is no such kind or its settings are wrong.
    """
    found = wrongs(group, plugin)
    if found:
        where = "".join(f"{part}: " for part in found[0].path if part != "kind")
        hint = f"; {found[0].suggestion}" if found[0].suggestion else ""
        raise InvalidDocument(f"'{name}': {where}{found[0].message}{hint}")
    loaded = kinds(group)[plugin.kind].load()
    return loaded.configured(loaded.Config.model_validate(plugin.settings()), directory)
