"""What rules pull by themselves: at once, in the transaction of the alert, and never more than people allow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import Alert, AlertKey
from governance.core.decision import Decision
from governance.core.document import SEVERITIES
from governance.core.duration import format_duration
from governance.core.incident import Finding, Incident
from governance.core.policy import EffectiveRule
from governance.core.reaction import Step
from governance.core.rule import Then
from governance.core.switch import Scope, Setting, ending_no_sooner
from governance.engine import entries
from governance.engine.grouping import current, group_of
from governance.engine.parts import Engine
from governance.engine.switching import paging
from governance.engine.switching.change import Act, Changed, mode_words, subject, words, write
from governance.engine.switching.pulling import setting
from governance.errors import Denied
from governance.store import alerts, decision_log, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class RulePull:
    """A pull that a firing rule asks for, and the incident that it acts on."""

    key: AlertKey
    then: Then
    summary: str
    serving: str
    incident: int

    @property
    def scope(self) -> Scope:
        """Return what is pulled: the version that the finding is about, or that serves, or what its labels name."""
        named = dict(self.key.labels)
        version = named.pop("version", "")
        if self.then.scope == "version":
            return Scope(version or self.serving)
        return Scope(version, tuple(sorted(named.items()))) if self.then.scope == "labels" else Scope()


def due(rule: EffectiveRule | None, step: Step) -> bool:
    """Tell whether a rule acts on this change of its alert: it begins to fire at the highest severity that it has."""
    change, key = step.transition, step.after.key
    if rule is None or change is None or key.kind == "no_data" or not acts(rule):
        return False
    return change.change in {"firing", "worsened"} and change.after == gravest(rule)


def acts(rule: EffectiveRule) -> bool:
    """Tell whether a rule pulls, or begins a runbook, by itself."""
    then = rule.then
    return rule.enforcement == "act" and then is not None and (then.switch is not None or then.runbook is not None)


def gravest(rule: EffectiveRule) -> str:
    """Return the highest severity that a rule can have."""
    return max((severity for severity, _ in rule.conditions), key=SEVERITIES.index)


def owing(alert: Alert, rule: EffectiveRule | None, step: Step) -> Alert:
    """Return the alert with the act that a late cycle leaves to the present: what has ended must not be pulled."""
    return replace(alert, owes_pull=step.verdict.late) if due(rule, step) else alert


@dataclass(slots=True)
class Automation:
    """What rules pull in one transaction, after what they pulled within the window before it."""

    connection: Connection
    engine: Engine
    at: datetime
    allowed: list[RulePull] = field(default_factory=list)
    withheld: list[RulePull] = field(default_factory=list)
    _pulled: set[str] | None = None

    @property
    def most(self) -> int:
        """How many models rules may pull within the window."""
        settings = self.engine.organisation.automation
        fleet = sum(policy.model not in entries.OWN for policy in self.engine.plan.policies)
        return max(settings.models, int(settings.share * fleet + 1e-9))

    def ask(self, wanted: RulePull) -> str:
        """Take a pull on, or withhold it; return what people are told of it, "" when it would change nothing."""
        model = wanted.key.model
        _, after = self._change(wanted)
        if after is None:
            return ""
        if self.allows(model):
            self.allowed.append(wanted)
            return f"Pulled by {wanted.key.rule}: {words(model, wanted.scope, after)}."
        self.withheld.append(wanted)
        return f"Not pulled: {self.reason()}. A person decides: {_by_hand(model, wanted.scope, after)}"

    def allows(self, model: str) -> bool:
        """Count a model among those that rules pull, if there is room for it within the window."""
        if self._pulled is None:
            since = self.at - self.engine.organisation.automation.window
            self._pulled = set(switches.pulled_by_rules(self.connection, since))
        if model not in self._pulled and len(self._pulled) >= self.most:
            return False
        self._pulled.add(model)
        return True

    def pull(self, model: str, wanted: Setting, act: Act) -> Changed:
        """Pull what a run wants that no person began; what holds already and restricts as much stays.

        :raises Denied: when rules have pulled as much as they may; a person decides.
        """
        before = switches.get(self.connection, model)
        was = before.at(wanted.scope)
        if was is not None and was.rank >= wanted.rank:
            return Changed(before, was, "")
        if not self.allows(model):
            raise Denied(f"not pulled: {self.reason()}. A person decides: {_by_hand(model, wanted.scope, wanted)}")
        guards = tuple(dict.fromkeys([*(was.guards if was is not None else ()), *wanted.guards]))
        after = replace(ending_no_sooner(was, wanted), guards=guards)
        done = write(self.connection, self.engine, before, wanted.scope, after, act)
        switches.note_rule_pulls(self.connection, [done.switch], self.at)
        return done

    def carry_out(self) -> None:
        """Write the pulls, and the entries of those that were withheld."""
        for wanted in self.allowed:
            scope, after = self._change(wanted)
            if after is None:  # another rule did it just now
                continue
            before = switches.get(self.connection, wanted.key.model)
            act = Act("switch.pulled", entries.ENGINE, self.at, wanted.summary, self._details(wanted))
            done = write(self.connection, self.engine, before, scope, after, act)
            switches.note_rule_pulls(self.connection, [done.switch], self.at)
        decision_log.append(self.connection, [self._entry(each) for each in self.withheld])

    def _change(self, wanted: RulePull) -> tuple[Scope, Setting | None]:
        """Return what would be set for which scope; None when that holds already."""
        model, scope = wanted.key.model, wanted.scope
        before = switches.get(self.connection, model).at(scope)
        said = setting(
            self.engine, model, wanted.then.switch or "stopped", scope, wanted.then.share or 1.0,
            because=wanted.summary, actor=f"rule {wanted.key.rule}", at=self.at,
        )  # fmt: skip
        expires = wanted.then.expires
        said = replace(said, origin="rule", incident=wanted.incident, guards=(wanted.key.rule,))
        if expires is not None:
            said = replace(said, expires_at=self.at + expires, lasting=expires)
        if before is None:
            return scope, said
        guards = tuple(dict.fromkeys([*before.guards, wanted.key.rule]))
        if said.rank > before.rank:
            return scope, replace(ending_no_sooner(before, said), guards=guards)
        if before.origin == "rule" and wanted.key.rule not in before.guards:
            return scope, replace(before, guards=guards)  # it is given back when this rule is healthy too
        return scope, None

    def _details(self, wanted: RulePull) -> dict[str, object]:
        return {
            "rule": wanted.key.rule,
            "labels": entries.labels_text(wanted.key.labels),
            "policy_version": self.engine.plan.version,
        }

    def _entry(self, wanted: RulePull) -> Decision:
        _, after = self._change(wanted)
        body = {
            **self._details(wanted),
            "would_be": mode_words(after),
            "because": self.reason(),
            "found": wanted.summary,
        }
        about = subject(wanted.key.model, wanted.scope, after)
        identity = entries.identity("withheld", repr(wanted.key), str(wanted.incident), self.at.isoformat())
        return Decision(self.at, "switch.withheld", entries.ENGINE, about, body, identity)

    def reason(self) -> str:
        """Return why no more is pulled."""
        window = format_duration(self.engine.organisation.automation.window)
        return (
            f"rules have pulled {len(self._pulled or ())} models within {window}, and {self.most} is the most they may"
        )


def _by_hand(model: str, scope: Scope, setting: Setting) -> str:
    version = f" --version {scope.version}" if scope.version else ""
    pairs = "".join(f" --label {name}={value}" for name, value in scope.labels)
    share = f" --share {setting.share:.4g}" if setting.mode == "throttle" else ""
    confirm = f" --confirm {model}" if setting.mode == "stopped" else ""
    return f"gov switch pull {model} {setting.mode}{share}{version}{pairs}{confirm} --because …"


def settle(engine: Engine, serving: Mapping[str, str], at: datetime) -> None:
    """Pull what late cycles left to the present, where it is still true; forget it where it is not."""
    with engine.database.transaction() as connection:
        automation = Automation(connection, engine, at)
        owing_ = [alert for alert in alerts.active(connection).values() if alert.owes_pull]
        for alert in owing_:
            still = still_acting(connection, engine, alert)
            if still is None or still[0].switch is None:
                continue
            then, finding, incident = still
            wanted = RulePull(alert.key, then, finding.summary, serving.get(alert.key.model, ""), incident.id)
            if automation.ask(wanted) and wanted in automation.withheld:
                paging.page(connection, engine, paging.withheld(alert.key, automation.reason()), at)
        alerts.save(connection, [replace(alert, owes_pull=False) for alert in owing_])
        automation.carry_out()


def still_acting(connection: Connection, engine: Engine, alert: Alert) -> tuple[Then, Finding, Incident] | None:
    """Return what a firing alert still owes; None when its rule or its incident says otherwise by now."""
    key, policy = alert.key, engine.plan.by_model.get(alert.key.model)
    rule = next((each.rule for each in (policy.rules if policy else ()) if each.rule.id == key.rule), None)
    if rule is None or rule.then is None or not acts(rule) or alert.severity != gravest(rule):
        return None
    group = group_of(key, engine.organisation.incidents)
    incident = current(connection, [group]).get(group)
    finding = next((each for each in (incident.firing if incident else ()) if each.key == key), None)
    if incident is None or finding is None:  # a person closed it meanwhile
        return None
    return rule.then, finding, incident
