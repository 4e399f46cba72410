"""What the report says of the fleet as a whole: at a glance, what is not compliant first, the matrix of controls."""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.compliance import answers_to
from governance.core.control import STATES, Control, Framework, State
from governance.core.control_checks import hows
from governance.core.frameworks import FRAMEWORKS
from governance.engine.fleet_report import FleetReport, ModelReport
from governance.exchange.report.one_model import TIERS, one_model, own, tallies
from governance.exchange.report.parts import (
    Aside,
    Block,
    Cell,
    Code,
    Document,
    Facts,
    Link,
    Mark,
    Model,
    Name,
    Note,
    Part,
    Section,
    Seq,
    Table,
    Tiles,
    Tone,
    entries,
    since,
    stamp,
    state,
)

HONEST = (
    "This report is evidence for people to judge by. It is not legal advice, not a certificate and no assessment of "
    "conformity: which rules a model falls under, and whether what is shown suffices, people decide."
)
NEVER_GREEN = (
    "Nothing passes silently: where data, a record or an entry is missing, a control has no evidence; it is never met. "
    "A rule that is waived counts as not met. Every number says of when it is; where it says nothing else, it is as of "
    "the time above."
)
_NAMED = 6
"""How many models are named in a cell of the matrix."""


def document(report: FleetReport) -> Document:
    """Return the whole report."""
    count = len(report.models)
    lead = f"{count} model{'s' if count != 1 else ''} in {report.environment}, as of {stamp(report.at)}"
    blocks: list[Block] = [
        *(Note(each, loud=True) for each in _warnings(report)),
        _glance(report),
        _tiers(report),
        Note(NEVER_GREEN),
        Note(HONEST),
        Section("What needs attention", (_attention(report),), "attention"),
        Section("Controls", tuple(_framework(report, each) for each in FRAMEWORKS), "controls"),
        Section("Models", tuple(one_model(each) for each in report.models), "models"),
        Section("The engine itself", tuple(own(report.own)), "engine"),
        Section("Entries cited", tuple(_cited(report)), "entries"),
        Section("How to check this", tuple(_checking(report)), "checking"),
    ]
    return Document(f"Fleet report: {report.environment}", lead, tuple(each for each in blocks if _says(each)))


def _says(block: Block) -> bool:
    return not isinstance(block, Section) or bool(block.blocks)


def _warnings(report: FleetReport) -> Iterator[Cell]:
    if report.adopted is None:
        said = f"The policies judged here, version {report.version}, were never adopted by an engine by this time."
        yield f"{said} Rules that nobody enforces prove nothing."
    elif report.ruled is not None and report.ruled.version != report.version:
        yield f"Version {report.ruled.version} of the policies ruled at this time; judged here is {report.version}."
    if report.head is None:
        yield "The decision log has no head by this time, so that no evidence can be cited."
    unsound = next((each.known.unsound_since for each in report.models if each.known.unsound_since), None)
    if unsound is not None:
        yield f"The decision log has not verified since {stamp(unsound)}: see gov audit verify."
    broken = [each for each in report.cited if not each.sound]
    if broken:
        yield ("The content of these entries does not match their digests: ", entries(broken))


def _glance(report: FleetReport) -> Tiles:
    models = report.models
    bad = sum(each.count("not met") > 0 for each in models)
    unknown = sum(each.count("no evidence") > 0 for each in models)
    opened = [each for one in models for each, _ in one.known.incidents]
    critical = sum(each.severity == "critical" for each in opened)
    waived = sum(len(each.known.waivers) for each in models)
    spent = sum(each.left is not None and each.left <= 0 for one in models for each in one.known.budgets)
    pulled = sum(bool(each.switch.settings) for each in models)
    return Tiles(
        (
            (str(bad), "with a control not met", "bad" if bad else "quiet"),
            (str(unknown), "with a control without evidence", "unknown" if unknown else "quiet"),
            (str(len(opened)), f"open incidents, {critical} critical", "bad" if opened else "quiet"),
            (str(waived), "waivers in force", "unknown" if waived else "quiet"),
            (str(spent), "error budgets spent", "bad" if spent else "quiet"),
            (str(pulled), "kill switches pulled", "bad" if pulled else "quiet"),
        )
    )


def _tiers(report: FleetReport) -> Table:
    rows = []
    for tier, name in TIERS.items():
        found = [each for each in report.models if each.card.tier == tier]
        bad = sum(each.count("not met") > 0 for each in found)
        unknown = sum(each.count("no evidence") > 0 for each in found)
        opened = sum(len(each.known.incidents) for each in found)
        numbers = (_some("bad", bad), _some("unknown", unknown), _some("bad", opened))
        rows.append((f"{tier}, {name}", str(len(found)), *numbers))
    head = ("Tier", "Models", "Not met", "No evidence", "Incidents")
    return Table(head, tuple(rows))


def _some(tone: Tone, count: int) -> Cell:
    return (Mark(tone, str(count)),) if count else "–"


def _attention(report: FleetReport) -> Table:
    rows = tuple(_row(each) for each in report.models)
    return Table(("Model", "Tier", "Found", "Begin with", "Accountable"), rows, "No model is declared.")


def _row(each: ModelReport) -> tuple[Cell, ...]:
    owners = each.card.owners
    return (
        (Model(each.card.model),),
        str(each.card.tier),
        _spaced(tallies(each)),
        _first(each),
        owners.accountable or f"nobody of {owners.team}",
    )


def _spaced(parts: tuple[Part, ...]) -> Cell:
    return tuple(part for each in parts for part in (each, " ")) or "–"


def _first(report: ModelReport) -> Cell:
    """Return the one thing to begin with: an incident, else what is not met, else what nobody can tell."""
    ordered = sorted(report.known.incidents, key=lambda each: each[0].severity != "critical")
    if ordered:
        incident, _ = ordered[0]
        return (f"INC-{incident.id} {incident.title} ", since(incident.opened_at, report.known.at))
    for wanted in ("not met", "no evidence"):
        for each in report.judgements:
            if each.state == wanted:
                why = next(one.why for one in each.findings if one.state == wanted)
                return (Name(each.control.name), f" {why}")
    return "–"


def _framework(report: FleetReport, framework: Framework) -> Section:
    answering = [each for each in report.models if not answers_to(each.known, framework)]
    answer = f"Models that answer to it: {len(answering)} of {len(report.models)}."
    if framework.regimes and len(answering) < len(report.models):
        answer += " Whether the others fall under it, their cards do not say."
    blocks: list[Block] = [
        Note((framework.status, " ", framework.left_out, " ", Link(framework.source))),
        Note(answer),
    ]
    if answering:
        rows = tuple(_control(answering, each) for each in framework.controls)
        blocks.append(Table(("Control", "Not met", "No evidence", "Met", "Not applicable"), rows))
    judged = tuple(((Name(each.name), " ", Code(each.id)), f"{hows(each.checks)}; and its rules that name it")
                   for each in framework.controls)  # fmt: skip
    how = Section("How each control is judged", (Table(("Control", "Judged by"), judged),), fold=True)
    return Section(framework.title, (*blocks, how), f"f-{framework.id}")


def _control(answering: list[ModelReport], control: Control) -> tuple[Cell, ...]:
    found: dict[State, list[str]] = {each: [] for each in STATES}
    for each in answering:
        judged = next(one for one in each.judgements if one.control.id == control.id)
        found[judged.state].append(each.card.model)
    name: Cell = (Name(control.name), " ", Aside(control.asks))
    return (
        name,
        _models("not met", found["not met"]),
        _models("no evidence", found["no evidence"]),
        (Mark(state("met").tone, str(len(found["met"]))),) if found["met"] else "–",
        str(len(found["not applicable"])) if found["not applicable"] else "–",
    )


def _models(found: State, names: list[str]) -> Cell:
    if not names:
        return "–"
    shown = [part for at, name in enumerate(names[:_NAMED]) for part in (", " if at else " ", Model(name))]
    more = [Aside(f" and {len(names) - _NAMED} more")] if len(names) > _NAMED else []
    return (Mark(state(found).tone, str(len(names))), *shown, *more)


def _cited(report: FleetReport) -> Iterator[Block]:
    rows = tuple(
        (
            (Seq(each.seq),),
            each.kind,
            stamp(each.at),
            each.actor,
            (Code(each.digest), *(() if each.sound else (" ", Mark("bad", "its content differs")))),
        )
        for each in report.cited
    )
    yield Note("The digest is the leaf hash of RFC 6962, SHA-256 over a zero byte and the canonical JSON of the entry.")
    yield Table(("Entry", "Kind", "Time", "Actor", "Digest"), rows, "None.")


def _checking(report: FleetReport) -> Iterator[Block]:
    head = report.head
    rows: list[tuple[str, Cell]] = [("Policies judged", (Code(report.version), *_adopted(report)))]
    if head is None:
        yield Facts(tuple(rows))
        return
    rows += [
        ("Tree size", f"{head.size:,} entries, numbered from 0"),
        ("Root", (Code(head.root.hex()),)),
        ("Sealed", (since(head.at, report.at),)),
        ("Heads published", (Code(report.heads),) if report.heads else "nowhere outside the database"),
    ]
    yield Facts(tuple(rows))
    yield Note(("The whole log against its heads: ", Code("gov audit verify")))
    seq = report.cited[-1].seq if report.cited else 0
    proof = f"gov audit proof {seq} --size {head.size} --root {head.root.hex()}"
    yield Note(("One entry against the root printed here: ", Code(proof)))
    again = f"gov export fleet --at {report.at:%Y-%m-%dT%H:%M:%SZ}"
    yield Note(("This report again: ", Code(again), ". It is judged anew from what the sources say of that time."))
    yield Note(
        "Heads are not signed. That nobody rewrote the log, only a copy of a head shows that was kept where those who "
        "write the database cannot write: this report is one, once it is handed over."
    )


def _adopted(report: FleetReport) -> tuple[Part, ...]:
    if report.adopted is None:
        return (" never adopted",)
    return (f" adopted by {report.adopted.actor} ", since(report.adopted.at, report.at), " ", entries([report.adopted]))
