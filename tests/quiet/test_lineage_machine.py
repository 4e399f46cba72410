"""Whatever fires, ends, is taken or closed in whatever lineage: each finding is in one open incident, none is lost."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from quiet.fleet import Fleet

from governance.core.lineage import SETTLE
from governance.core.metric import Labels
from governance.engine import operations
from governance.store import alerts, decision_log, joined

SOAK = int(os.environ.get("SOAK", "0"))
MODELS = "abcdef"
Key = tuple[str, str, Labels, str]


@st.composite
def lineages(draw: st.DrawFn) -> dict[str, list[str]]:
    """Return models in a row, each of which depends on some before it."""
    return {
        model: draw(st.lists(st.sampled_from(MODELS[:n]), unique=True, max_size=2)) if n else []
        for n, model in enumerate(MODELS)
    }


class Related(RuleBasedStateMachine):
    """One engine over six models that rest on one another."""

    @initialize(upstream=lineages(), by_rule=st.booleans())
    def begin(self, upstream: dict[str, list[str]], by_rule: bool) -> None:
        """Start on an empty database."""
        group = {"incidents": {"group_by": ["model", "rule"]}} if by_rule else {}
        self.fleet = Fleet(upstream, organisation={"people": {"ana": {}}, **group})
        self.fleet.look()

    @rule(values=st.dictionaries(st.sampled_from(MODELS), st.sampled_from([0.1, 0.1, 0.4, 0.6, 0.9])))
    def change(self, values: dict[str, float]) -> None:
        """Some metrics change, and the engine looks."""
        self.fleet.look(**values)

    @rule(minutes=st.sampled_from([1, 2, 6, 7]))
    def pass_time(self, minutes: int) -> None:
        """Nothing changes for some minutes."""
        self.fleet.look(minutes)

    @rule(data=st.data(), closes=st.booleans())
    def answer(self, data: st.DataObject, closes: bool) -> None:
        """Somebody takes an incident, or closes it."""
        found = [each for each in self.fleet.incidents("open") if closes or each.status == "triggered"]
        if not found:
            return
        number = data.draw(st.sampled_from(found)).id
        if closes:
            operations.resolve(self.fleet.engine, number, actor="ana", because="so", at=self.fleet.now)
        else:
            operations.acknowledge(self.fleet.engine, number, actor="ana", at=self.fleet.now)

    @rule(upstream=lineages())
    def edit(self, upstream: dict[str, list[str]]) -> None:
        """Somebody changes what rests on what."""
        self.fleet.declare(upstream)

    def _firing(self) -> set[Key]:
        with self.fleet.database.read() as connection:
            active = alerts.active(connection).values()
        return {
            (each.key.model, each.key.rule, each.key.labels, each.key.kind) for each in active if each.state == "firing"
        }

    @invariant()
    def each_finding_is_in_one_open_incident(self) -> None:
        """What fires is shown once, unless a person closed it; what is over is shown by none."""
        found = self.fleet.incidents()
        shown = [(f.key.model, f.key.rule, f.key.labels, f.key.kind) for each in found for f in each.firing]
        assert len(shown) == len(set(shown)), "two incidents show one finding"
        firing = self._firing()
        assert set(shown) <= firing, "an incident shows what is over"
        closed = {
            (f.key.model, f.key.rule, f.key.labels, f.key.kind)
            for each in found
            for f in each.findings
            if f.story[-1].startswith("closed by")
        }
        assert firing - set(shown) <= closed, "an alert fires and no incident shows it"
        assert all(bool(each.firing) == (each.status != "resolved") for each in found)
        groups = [each.group for each in found if each.status != "resolved"]
        assert len(groups) == len(set(groups)), "two open incidents of one group"

    @invariant()
    def none_is_orphaned(self) -> None:
        """Who joined an incident is let go of in time once what failed first is over."""
        with self.fleet.database.read() as connection:
            rows = joined.all_open(connection)
        by_number = {each.id: each for each in self.fleet.incidents()}
        limit = SETTLE + timedelta(minutes=1)
        for number, groups in rows.items():
            incident = by_number[number]
            own = [f for f in incident.findings if f.key.model == incident.model]
            if incident.status == "resolved":
                assert incident.resolved_at is not None
                assert self.fleet.now - incident.resolved_at <= limit, f"{groups} wait for INC-{number} for ever"
            elif own and not any(f.firing for f in own):
                ended = max(f.ended for f in own if f.ended)
                others = [f for f in incident.firing if f.key.model != incident.model]
                assert not others or self.fleet.now - ended <= limit, f"{groups} wait in INC-{number} for ever"

    @invariant()
    def what_is_not_told_is_on_record_with_a_reason(self) -> None:
        """Every change worth telling has a notification; a withheld one says why, and is an entry."""
        entries = [json.loads(each.content) for each in decision_log.tail(self.fleet.database, 100_000)]
        told = {
            "incident.opened",
            "incident.new_findings",
            "incident.worsened",
            "incident.reopened",
            "incident.resolved",
        }
        worth = {
            (int(e["subject"]["incident"]), e["body"]["version"])
            for e in entries
            if e["kind"] in told and "version" in e["body"]
        }
        withheld = {e["body"]["key"] for e in entries if e["kind"] == "notification.withheld"}
        found = [one for each in self.fleet.incidents() for one in self.fleet.why(each.id)]
        assert worth <= {(each.incident, each.version) for each in found}
        for each in found:
            assert each.state != "withheld" or (each.receipt and each.key in withheld), each

    def teardown(self) -> None:
        """When all is well, nothing is open, and the log verifies."""
        if not hasattr(self, "fleet"):
            return
        self.fleet.look(**dict.fromkeys(MODELS, 0.1))
        self.fleet.look(10)
        assert self.fleet.open() == {}
        assert not self._firing()
        checked = decision_log.verify(self.fleet.database)
        assert checked.ok, checked.findings
        self.fleet.database.close()


TestRelated = Related.TestCase
TestRelated.settings = settings(
    max_examples=SOAK or 6,
    stateful_step_count=12,
    derandomize=not SOAK,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
