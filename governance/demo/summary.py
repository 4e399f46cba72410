"""The end of the demo: what happened, in sentences, and whether the log proves it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.core.document import SEVERITIES
from governance.core.incident import Finding, Incident
from governance.demo import fleet
from governance.demo.flights import END, START
from governance.demo.story import Replay
from governance.store import decision_log


def lines(replay: Replay) -> Iterator[str]:
    """Return the summary line by line."""
    found = replay.incidents()
    resolved = [each for each in found if each.status == "resolved"]
    outcomes = replay.tally.outcomes
    verdicts = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items(), key=lambda pair: -pair[1]))
    yield ""
    yield f"Governed until {replay.clock.now():%Y-%m-%d %H:%M} UTC in {replay.tally.seconds:.0f} s"
    if replay.clock.now() < END:
        yield f"  stopped by the time limit; the year ends {END:%Y-%m-%d}"
    yield f"  cycles     {replay.tally.cycles}"
    yield f"  verdicts   {sum(outcomes.values()):,}: {verdicts}"
    yield f"  incidents  {len(found)} opened, {len(resolved)} resolved"
    yield f"  messages   {replay.tally.deliveries} delivered"
    checked = decision_log.verify(replay.engine.database)
    sound = "verified, sound" if checked.ok else "NOT SOUND"
    yield f"  log        {checked.size:,} entries, root {checked.root[:16]}…: {sound}"
    yield from (f"             ✗ {finding}" for finding in checked.findings)
    yield ""
    yield "The fleet"
    models = [each.model for each in replay.engine.plan.policies if each.policy.card.log is not None]
    yield from fleet.lines(sorted(models), found, START, replay.clock.now())
    yield ""
    yield "Incidents and their causes (✓ resolved, ▲ open)"
    for incident in found:
        yield from _incident(incident)
    yield from _labelled(found)


def _incident(incident: Incident) -> Iterator[str]:
    worst = max(incident.findings, key=lambda each: (SEVERITIES.index(each.peak), -each.since.timestamp()))
    until = f"{incident.resolved_at:%m-%d}" if incident.resolved_at else "open "
    mark = "✓" if incident.status == "resolved" else "▲"
    more = f" (and {len(incident.findings) - 1} more)" if len(incident.findings) > 1 else ""
    again = f", re-opened {incident.reopened}×" if incident.reopened else ""
    firm = f" [{_firmness(worst)}]" if worst.basis else ""
    yield (
        f"  {mark} INC-{incident.id:<3} {incident.opened_at:%m-%d} → {until}  {incident.peak:<8} "
        f"{incident.model}: {worst.summary}{more}{again}{firm}"
    )


def _firmness(finding: Finding) -> str:
    if any("confirmed" in each for each in finding.story):
        return "provisional, then final"
    if any("withdrawn" in each for each in finding.story):
        return "provisional, then withdrawn as final labels came"
    return finding.basis


def _labelled(found: Sequence[Incident]) -> Iterator[str]:
    findings = [finding for incident in found for finding in incident.findings if finding.basis]
    firm = sum(_firmness(each).startswith("provisional, then") for each in findings)
    if findings:
        yield ""
        yield f"{len(findings)} findings rest on labels that come late: {firm} were provisional and then final."
