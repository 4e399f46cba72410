"""What became of an incident, in Markdown, for those who look back on it: facts, and room for what only people know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from governance.core.duration import in_words
from governance.core.incident import Finding, Incident
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.engine.timeline import timeline
from governance.exchange.export.markdown import code, stamp, text
from governance.store import incidents
from governance.views import TimelineLine

_TOLD = "notification."
_TO_WRITE = (
    ("What happened", "In two sentences: who or what was harmed, and for how long."),
    ("Why", "The cause, and why it was not seen earlier."),
    ("What we change", "Each with somebody who does it, and until when."),
)


def postmortem(engine: Engine, number: int) -> str:
    """Return the page of an incident; those that were merged into it are told with it.

    :raises NotFound: when there is none of that number.
    """
    with engine.database.read() as connection:
        incident = incidents.get(connection, number)
    lines = sorted(_with_merged(engine, number), key=lambda each: each[1].seq)
    people = [each for each in lines if each[1].actor != ENGINE]
    said = [each for each in lines if not each[1].kind.startswith(_TOLD)]
    told = [each for each in lines if each[1].kind.startswith(_TOLD)]
    sections: list[tuple[str, Iterable[str]]] = [
        (f"# INC-{incident.id}: {text(incident.title)}", _facts(engine, incident, [each for _, each in lines])),
        *((f"## {title}", [f"*{hint}*"]) for title, hint in _TO_WRITE),
        ("## Findings", _findings(incident)),
        ("## Who did what", _lines(people, number)),
        ("## Timeline", _lines(said, number)),
        ("## Who was told", _lines(told, number)),
    ]
    body = [line for title, found in sections for line in _section(title, list(found))]
    return "\n".join([*body, "---", "", f"Written by {code(f'gov incidents postmortem {number}')}."]) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, "", *(lines or ["Nothing."]), ""]


def _with_merged(engine: Engine, number: int) -> Iterator[tuple[int, TimelineLine]]:
    """Yield the lines of an incident and of those that were merged into it, each with the incident's number."""
    for line in timeline(engine, number):
        yield number, line
    with engine.database.read() as connection:
        parts = [each.id for each in incidents.merged_into(connection, number)]
    for part in parts:
        yield from _with_merged(engine, part)


def _facts(engine: Engine, incident: Incident, lines: Sequence[TimelineLine]) -> Iterator[str]:
    card = card_of(engine, incident.model)
    owners = f", owned by {text(card.owners.team)}" if card is not None else ""
    yield f"- **Model**: {text(incident.model)}{owners}"
    yield f"- **Severity**: {incident.peak} at its worst" + (
        f", {incident.severity_set} as a person says" if incident.severity_set else ""
    )
    yield f"- **Status**: {_status(incident)}"
    yield f"- **Lead**: {text(incident.lead or incident.acknowledged_by or 'nobody')}"
    if incident.responders:
        yield f"- **Responders**: {text(', '.join(incident.responders))}"
    yield f"- **Opened**: {stamp(incident.opened_at)}"
    for name, kind in (("acknowledge", "incident.acknowledged"), ("mitigate", "incident.mitigated")):
        yield f"- **Time to {name}**: {_after(incident, next((each.at for each in lines if each.kind == kind), None))}"
    yield f"- **Time to resolve**: {_after(incident, incident.resolved_at)}"
    for link in incident.links:
        yield (
            f"- **Link**: {text(link.title)} <{link.address}>" if link.title != link.address else f"- <{link.address}>"
        )


def _status(incident: Incident) -> str:
    if incident.merged_into is not None:
        return f"merged into INC-{incident.merged_into} by {text(incident.resolved_by)}"
    who = f" by {'itself' if incident.resolved_by == ENGINE else text(incident.resolved_by)}"
    again = f", re-opened {incident.reopened} times" if incident.reopened else ""
    return f"{incident.status}{who if incident.status == 'resolved' else ''}{again}"


def _after(incident: Incident, at: datetime | None) -> str:
    if at is None:
        return "–"
    return f"{in_words(at - incident.opened_at)} ({stamp(at)})"


def _findings(incident: Incident) -> Iterator[str]:
    yield "| severity | what | rule | from | to | values when it fired or worsened | its story |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in incident.findings:
        values = ", ".join(
            f"{name} = {value if value is None else f'{value:.4g}'}" for name, value in each.values.items()
        )
        story = " → ".join(each.story) + (f": {each.ending}" if each.ending else "")
        ended = stamp(each.ended) if each.ended else "fires"
        row = (each.peak, text(each.summary), _rule(each), stamp(each.since), ended, text(values), text(story))
        yield f"| {' | '.join(row)} |"


def _rule(finding: Finding) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in finding.key.labels)
    return code(f"{finding.key.model}: {finding.key.rule}" + (f" {{{labels}}}" if labels else ""))


def _lines(lines: Iterable[tuple[int, TimelineLine]], number: int) -> Iterator[str]:
    for incident, each in lines:
        where = f" ({text(each.channel)})" if each.channel else ""
        about = f"INC-{incident}: " if incident != number else ""
        yield f"- {stamp(each.at)} **{text(each.actor)}**{where}: {about}{text(each.text)} [{each.seq}]"
