"""Policies as they are written: loaded from a directory or from the texts of a version, checked and compiled."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files as resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from governance import plugins
from governance.core.authored import Authored, problem_at
from governance.core.card import Card
from governance.core.checking import ENGINE, card_problems, organisation_problems, pack_problems
from governance.core.compiled import EvaluationPlan
from governance.core.lineage_checks import lineage_problems
from governance.core.maintenance_document import MaintenanceDocument, maintenance_problems, written_maintenance
from governance.core.organisation import Organisation, Plugin
from governance.core.pack import Pack
from governance.core.placed import placed
from governance.core.plan import evaluation_plan
from governance.core.problem import Problem
from governance.core.runbook import Runbook
from governance.core.runbook_uses import runbook_problems
from governance.core.silence_document import SilenceDocument, silence_problems, written_silence
from governance.core.story import Suite
from governance.core.waiver_document import WaiverDocument, waiver_problems, written_waiver
from governance.errors import InvalidDocument
from governance.loader import Loaded, files, load, load_text
from governance.loader.calendars import read_calendar

# Checking policies needs neither the engine nor the database: to import them would double the time of a start.

D = TypeVar("D", bound=BaseModel)
_CALENDAR = ".ics"
RUNBOOKS = Path("runbooks")
"""Where runbooks lie beside the policies, unless a setting says otherwise."""
SHIPPED = "shipped/"
"""How the names of documents begin that come with the package."""
_PACKAGE = Path(__file__).parent
KINDS: dict[str, type[BaseModel]] = {
    "card": Card,
    "pack": Pack,
    "maintenance": MaintenanceDocument,
    "org": Organisation,
    "runbook": Runbook,
    "silence": SilenceDocument,
    "test": Suite,
    "waiver": WaiverDocument,
}


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that was loaded from a directory, compiled, with all its problems.

    `organised` tells whether an org document was loaded; `organisation` is an empty one otherwise. `documents` are the
    texts by name: relative to the directory, runbooks beside it below `runbooks/`, those that come with the package
    below `shipped/`. `written` is the organisation as it was written.
    """

    plan: EvaluationPlan
    organisation: Organisation
    organised: bool
    problems: tuple[Problem, ...]
    documents: Mapping[str, str]
    written: Authored[Organisation] | None = None


def shipped(folder: str) -> Path:
    """Return the directory of what comes with the package: `policies`, `runbooks` or `docs/problems`."""
    installed = Path(str(resources("governance"))) / "shipped" / folder
    return installed if installed.is_dir() else Path(__file__).parent.parent / folder


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage: what loading makes is kept, and looking for it costs a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def beside(paths: Sequence[Path], runbooks: Path = RUNBOOKS) -> list[Path]:
    """Return where runbooks lie for directories of policies, whether or not there are any."""
    return list(dict.fromkeys(path.parent / runbooks for path in paths if path.is_dir()))


def tests_of(paths: Sequence[Path], runbooks: Path) -> list[Path]:
    """Return the files of tests of policies, and of the runbooks beside them."""
    near = [each for each in beside(paths, runbooks) if each.is_dir() and not is_shipped(each)]
    return [each for each in files.test_files([*paths, *near]) if files.is_test(each)]


def is_shipped(path: Path) -> bool:
    """Tell whether a directory is that of the package's runbooks, as where the package is developed: nobody's own."""
    return shipped("runbooks").is_dir() and path.samefile(shipped("runbooks"))


@_collector_paused()
def policies(paths: Sequence[Path], context: Sequence[Path] = (), *, runbooks: Path = RUNBOOKS) -> Policies:
    """Load, check and compile policies, with the runbooks beside them; what the paths lack comes from the package.

    Where the paths bring no organisation, the one in `context` stands for it; its runbooks are known too.
    """
    near = [each for each in beside(paths, runbooks) if each.is_dir() and not is_shipped(each)]
    loaded = load([*paths, *near], KINDS)
    found = [*loaded.loaded, *loaded.salvaged]
    around = _around({*paths, *near}, context, runbooks)
    neighbours = {name: each for card in _of_kind(around, Card) for name, each in card.document.metrics.items()}
    found.extend(_lacking(found, around))
    found.extend(_standard(found))
    calendars = _calendars(found)
    itself = [*_engine_card(found), *_canary_card(found)]
    organised = bool(_of_kind(loaded.loaded, Organisation))
    documents = [*((each.source.file, each.source.text) for each in [*found, *itself]), *calendars.items()]
    texts = _texts(documents, paths, near)
    ours = f"{files.shown(shipped('runbooks'))}/"
    own = _Own(
        frozenset(
            each.source.file
            for each in loaded.loaded
            if not each.source.file.startswith(ours) or _is_below(each.source.file, paths)
        ),
        {name: each.label_names() for name, each in neighbours.items()},
    )
    return _combined(found, itself, loaded.problems, own, documents=texts, organised=organised, calendars=calendars)


def stored_policies(documents: Mapping[str, str], under: str = "policies") -> Policies:
    """Check and compile the documents of a version; nothing is added, as all that it rested on was stored with it.

    `under` is the directory that problems and origins name before the name of a document.
    """
    found, itself, problems = list[Loaded[BaseModel]](), list[Loaded[BaseModel]](), list[Problem]()
    calendars = {f"{under}/{name}": text for name, text in documents.items() if name.endswith(_CALENDAR)}
    for name, text in documents.items():
        if name.endswith(_CALENDAR):
            continue
        ours = name.startswith(SHIPPED)
        one, wrong = _of_package(text, name) if ours else load_text(text, f"{under}/{name}", KINDS)
        problems.extend(wrong)
        if one is not None:
            (itself if ours and isinstance(one.document, Card) else found).append(one)
    organised = bool(_of_kind(found, Organisation))
    own = _Own(frozenset(each.source.file for each in found if not each.source.file.startswith(SHIPPED)))
    return _combined(found, itself, problems, own, documents=dict(documents), organised=organised, calendars=calendars)


@dataclass(frozen=True, slots=True)
class _Own:
    """Which files are checked for themselves, and the metrics of cards that lie around them, with their labels."""

    files: frozenset[str]
    around: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _combined(
    found: Sequence[Loaded[BaseModel]],
    itself: Sequence[Loaded[BaseModel]],
    wrong: Sequence[Problem],
    own: _Own,
    *,
    documents: Mapping[str, str],
    organised: bool,
    calendars: Mapping[str, str],
) -> Policies:
    """Check documents against each other and compile them; `itself` is the engine's card where it is not one's own."""
    problems = [*wrong, *_second_organisations(found)]
    organisation = next(iter(_of_kind(found, Organisation)), None)
    document = organisation.document if organisation is not None else Organisation()
    if organisation is not None:
        document, misread = _with_calendars(organisation, calendars)
        problems.extend(misread)
    cards, packs = _of_kind(found, Card), _of_kind(found, Pack)
    if organisation is not None:
        problems.extend([*organisation_problems(organisation), *_plugin_problems(organisation)])
    counts = Counter(each.document.model for each in cards)
    twins = {model for model, count in counts.items() if count > 1}
    known = document.model_copy(update={"sources": {**document.sources, ENGINE: Plugin(kind="engine")}})
    for card in cards:
        problems.extend(card_problems(card, known, twins))
    problems.extend(lineage_problems(cards))
    for pack in packs:
        problems.extend(pack_problems(pack, known))
    plan = evaluation_plan([*cards, *_of_kind(itself, Card)], packs)
    asked = _of_kind(found, WaiverDocument)
    problems.extend(waiver_problems(asked, plan.by_model, document) if cards else ())
    muted = _of_kind(found, SilenceDocument)
    problems.extend(silence_problems(muted, plan.by_model, document) if cards else ())
    windows = _of_kind(found, MaintenanceDocument)
    problems.extend(maintenance_problems(windows, plan.by_model, document) if cards else ())
    silences = (*map(written_silence, muted), *map(written_maintenance, windows))
    runbooks, twice = _runbooks(found)
    plan = replace(plan, waivers=tuple(map(written_waiver, asked)), silences=silences, runbooks=runbooks)
    mine = [each for each in _of_kind(found, Runbook) if each.source.file in own.files]  # the rest once it is named
    checked = runbook_problems(mine, cards, packs, plan, document, lambda: plugins.operations(document), own.around)
    problems.extend([*twice, *checked])
    everything = sorted(dict.fromkeys([*problems, *plan.problems]), key=lambda problem: problem.position)
    return Policies(plan, document, organised, tuple(everything), documents, organisation)


def sound(loaded: Policies) -> Policies:
    """Return policies in which nothing is wrong.

    :raises InvalidDocument: listing every problem.
    """
    if loaded.problems:
        raise InvalidDocument("\n".join(problem.render() for problem in loaded.problems))
    return loaded


def _around(given: Collection[Path], context: Sequence[Path], runbooks: Path) -> Sequence[Loaded[BaseModel]]:
    """Return what lies around the paths that were given."""
    rest = [each for each in [*context, *beside(context, runbooks)] if each not in given and each.exists()]
    return load(rest, KINDS).loaded if rest else ()


def _lacking(found: Sequence[Loaded[BaseModel]], around: Sequence[Loaded[BaseModel]]) -> list[Loaded[BaseModel]]:
    """Return of what lies around the organisation and the runbooks that were not found."""
    own = {each.document.runbook for each in _of_kind(found, Runbook)}
    organised = bool(_of_kind(found, Organisation))
    return [
        each
        for each in around
        if (isinstance(each.document, Organisation) and not organised)
        or (isinstance(each.document, Runbook) and each.document.runbook not in own)
    ]


def _standard(found: Sequence[Loaded[BaseModel]]) -> list[Loaded[BaseModel]]:
    """Return the packs and runbooks of the package that one's own documents do not bring."""
    own = {each.document.pack for each in found if isinstance(each.document, Pack)}
    packs = [
        each
        for each in _shipped_documents("policies", "packs")
        if isinstance(each.document, Pack) and each.document.pack not in own
    ]
    return [*packs, *shipped_runbooks({each.document.runbook for each in _of_kind(found, Runbook)})]


def shipped_runbooks(own: Collection[str] = ()) -> list[Loaded[BaseModel]]:
    """Return the runbooks of the package whose names are not one's own."""
    found = _shipped_documents("runbooks")
    return [each for each in found if isinstance(each.document, Runbook) and each.document.runbook not in own]


def _shipped_documents(folder: str, *below: str) -> list[Loaded[BaseModel]]:
    """Return the documents in a folder of the package."""
    place = shipped(folder).joinpath(*below)
    read = [(*files.read(path), files.shown(path)) for path in files.yaml_files([place] if place.is_dir() else [])]
    found = [_of_package(text, name)[0] for text, wrong, name in read if not wrong]
    return [each for each in found if each is not None]


@lru_cache(maxsize=256)
def _of_package(text: str, file: str) -> tuple[Loaded[BaseModel] | None, Sequence[Problem]]:
    """Read a document of the package; whoever loads policies again, as the engine does when they change, has it."""
    return load_text(text, file, KINDS)


def _runbooks(found: Sequence[Loaded[BaseModel]]) -> tuple[dict[str, Authored[Runbook]], list[Problem]]:
    """Return the runbooks by name, the first of each, and the problem of every other one."""
    named: dict[str, Authored[Runbook]] = {}
    twice = []
    for each in _of_kind(found, Runbook):
        first = named.setdefault(each.document.runbook, each)
        if first is not each:
            message = f"the runbook '{each.document.runbook}' is declared in {first.source.file} already"
            twice.append(placed(each, ("runbook",), "duplicate-runbook", message))
    return named, twice


def _plugin_problems(organisation: Authored[Organisation]) -> list[Problem]:
    """Check the kind and the settings of every plug-in; whether what it names answers is no matter of the file."""
    return [
        placed(organisation, (section, name, *wrong.path), "wrong-plugin", wrong.message, wrong.suggestion)
        for section, name, wrong in plugins.wrongs_of(organisation.document)
    ]


def _calendars(found: Sequence[Loaded[BaseModel]]) -> dict[str, str]:
    """Return the texts of the calendars that schedules name, by file; one that cannot be read is left out."""
    named = {file for each in _of_kind(found, Organisation) for file in _places(each).values()}
    read = {file: files.read(Path(file)) for file in sorted(named)}
    return {file: text for file, (text, wrong) in read.items() if not wrong}


def _places(organisation: Authored[Organisation]) -> dict[str, str]:
    """Return the files of calendars by schedule: beside the organisation's, or below."""
    folder = Path(organisation.source.file).parent
    named = {name: each.ical for name, each in organisation.document.schedules.items()}
    return {name: (folder / file).as_posix() for name, file in named.items() if file is not None}


def _with_calendars(
    organisation: Authored[Organisation], texts: Mapping[str, str]
) -> tuple[Organisation, list[Problem]]:
    """Return the organisation with what its calendars say, and what is wrong with them."""
    document, problems = organisation.document, list[Problem]()
    made = dict(document.schedules)
    for name, file in _places(organisation).items():
        if file not in texts:
            message = f"{file} is not there, or no text in UTF-8 of at most 1 MiB"
            problems.append(placed(organisation, ("schedules", name, "ical"), "bad-calendar", message))
            continue
        calendar, wrong = read_calendar(texts[file], file, made[name].zone, document.people)
        made[name] = made[name].reading(calendar)
        problems.extend(wrong)
    return document.model_copy(update={"schedules": made}), problems


def _is_below(file: str, paths: Sequence[Path]) -> bool:
    """Tell whether a file is one of the paths, or lies below one: then it is asked for, whoever's it is."""
    return any(Path(file).is_relative_to(files.shown(each)) for each in paths)


def _texts(found: Sequence[tuple[str, str]], paths: Sequence[Path], near: Sequence[Path]) -> dict[str, str]:
    """Return the texts of documents by name: relative to the directory that was given, or to what is shipped."""
    places = [
        (files.shown(_PACKAGE), SHIPPED),
        (files.shown(shipped("policies")), SHIPPED),
        (files.shown(shipped("runbooks")), f"{SHIPPED}{RUNBOOKS}/"),
        *((files.shown(path), f"{RUNBOOKS}/") for path in near),
        *((files.shown(path), "") for path in paths),
    ]

    def name(file: str) -> str:
        for place, prefix in reversed(places):  # one's own directory first: it may be what the package ships
            if place == ".":
                return prefix + file
            if file.startswith(f"{place.rstrip('/')}/"):
                return prefix + file[len(place.rstrip("/")) + 1 :]
        return Path(file).name

    named: dict[str, str] = {}
    for file, text in found:
        named[name(file) if name(file) not in named else f"{RUNBOOKS}/beside/{name(file)}"] = text
    return named


def _engine_card(found: Sequence[Loaded[BaseModel]]) -> list[Loaded[BaseModel]]:
    """Return the card that governs the engine itself, unless there is one of the organisation's own."""
    if any(isinstance(each.document, Card) and each.document.model == ENGINE for each in found):
        return []
    return list(load([shipped("policies") / "engine.yaml"], KINDS).loaded)


def _canary_card(found: Sequence[Loaded[BaseModel]]) -> list[Loaded[BaseModel]]:
    """Return the card of the canary where the organisation wants one."""
    if not any(each.document.canary is not None for each in _of_kind(found, Organisation)):
        return []
    return list(load([_PACKAGE / "canary.yaml"], KINDS).loaded)


def _of_kind(found: Sequence[Loaded[BaseModel]], kind: type[D]) -> list[Authored[D]]:
    return [Loaded(each.document, each.source) for each in found if isinstance(each.document, kind)]


def _second_organisations(found: Sequence[Loaded[BaseModel]]) -> list[Problem]:
    """One engine, one organisation: a second org document is a problem."""
    organisations = _of_kind(found, Organisation)
    return [
        problem_at(
            each.source,
            each.source.at(()),
            "second-organisation",
            f"the organisation is declared in {organisations[0].source.file} already",
        )
        for each in organisations[1:]
    ]
