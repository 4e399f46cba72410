"""What `gov check` says of runbooks: every problem at its exact place, with what was meant."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from governance.core.problem import Problem
from governance.policies import policies, shipped

ORG = """\
kind: org
people: {ana: {email: ana@example.com}}
teams: {lending: {members: [ana]}}
sources: {s: {kind: push}}
roles: [{role: approver, who: [ana]}]
notifiers: {pager: {kind: console}}
"""
CARD = """\
kind: card
model: loans
owners: {team: lending}
versions: {serving: "2", rollback_to: "1"}
metrics:
  errors: {source: s, query: errors}
  psi: {source: s, query: psi, labels: [feature]}
  recall: {source: s, query: recall, labels: [slice]}
"""
LOOK = "{step: look, instruct: Look.}"
PULL = "{step: pull, act: switch.pull, with: {mode: fallback, reason: Broken}}"
# The steps, or a whole runbook; then, for each problem: what is marked | code | message | what is suggested.
CASES: dict[str, tuple[str, list[str]]] = {
    "nothing is wrong": (f"[{LOOK}, {PULL}]", []),
    "a step that is none": (
        f"[{{step: a, check: 1 < 2, on_failure: pul}}, {PULL}]",
        ["pul | unknown-step | no step 'pul' | did you mean 'pull'?"],
    ),
    "a failure that ends well": (
        "[{step: a, check: 1 < 2, on_failure: end}]",
        [
            (
                "end | unknown-step | a run whose step failed does not end well"
                " | write stop, or a later step that says what is left"
            )
        ],
    ),
    "a failure that leads back": (
        f"[{LOOK}, {{step: a, check: 1 < 2, on_failure: look}}, {PULL}]",
        ["look | backward-step | a failure leads to a later step, and 'look' is none | one of stop, continue, pull"],
    ),
    "a time-out that leads to itself": (
        "[{step: a, instruct: Look., timeout: 1h, on_timeout: a}]",
        ["a | backward-step | a failure leads to a later step, and 'a' is none | one of stop, continue"],
    ),
    "back without a limit": (
        f"[{LOOK}, {{step: a, wait: 1h, then: look}}]",
        [
            (
                "look | backward-step | 'look' comes before this step, and a way back without a limit need never end"
                " | write then: {step: look, at_most: 3}"
            )
        ],
    ),
    "back so often at most": (f"[{LOOK}, {{step: a, wait: 1h, then: {{step: look, at_most: 3}}}}]", []),
    "back to none": (
        f"[{LOOK}, {{step: a, wait: 1h, then: {{step: lok, at_most: 3}}}}]",
        ["lok | unknown-step | no step 'lok' | did you mean 'look'?"],
    ),
    "forward so often at most": (
        f"[{{step: a, wait: 1h, then: {{step: pull, at_most: 3}}}}, {PULL}]",
        ["3 | no-effect | only a way back is limited | write then: pull"],
    ),
    "then continue": (
        "[{step: a, wait: 1h, then: continue}]",
        ["continue | no-effect | a run goes on with the next step where nothing is said | remove `then`"],
    ),
    "a name twice": (f"[{LOOK}, {LOOK}]", ["look | duplicate-step | there is a step 'look' above already | "]),
    "a step called end": (
        "[{step: end, instruct: Look.}]",
        ["end | reserved-step | 'end' says where a run goes, so no step is called so | "],
    ),
    "no way there": (
        f"[{{step: a, wait: 1h, then: end}}, {LOOK}, {PULL}]",
        [
            (
                "look | unreachable-step | nothing leads to 'look': the step before it goes elsewhere, and no other"
                " names it | "
            )
        ],
    ),
    "a way by when": (f"[{{step: a, when: card.tier < 3, wait: 1h, then: end}}, {LOOK}]", []),
    "a time-out of a notice": (
        "[{step: a, notify: {message: Hello.}, timeout: 1h, on_timeout: stop}]",
        [
            "1h | no-effect | a step that tells has no time-out: it is told at once, and delivered later | ",
            "stop | no-effect | without a time-out nothing takes too long | ",
        ],
    ),
    "on_timeout without timeout": (
        "[{step: a, instruct: Look., on_timeout: continue}]",
        ["continue | no-effect | without a time-out nothing takes too long | give `timeout`"],
    ),
    "a time-out of a single act": (
        "[{step: a, act: switch.pull, with: {mode: fallback, reason: x}, timeout: 1h}]",
        [
            (
                "1h | no-effect | an act that is tried once has no time-out: how long its system is given is said in"
                " org.yaml | give `retry`: the time limits its attempts"
            )
        ],
    ),
    "a time-out of the attempts of an act": (
        "[{step: a, act: switch.pull, with: {mode: fallback, reason: x}, timeout: 1h, retry: {}, on_timeout: stop}]",
        [],
    ),
    "retry and undo of what is no act": (
        f"[{{step: a, check: 1 < 2, retry: {{times: 2}}, undo: {{act: switch.pull}}, with: {{x: 1}}}}, {LOOK}]",
        [
            "{times: 2} | no-effect | `retry` belongs to a step that acts; this one checks | ",
            "{act: switch.pull} | no-effect | `undo` belongs to a step that acts; this one checks | ",
            "{x: 1} | no-effect | `with` belongs to a step that acts; this one checks | ",
        ],
    ),
    "two kinds of step": (
        "[{step: a, instruct: Look., wait: 1h}]",
        ["{step: a, instruct: Look., wait: 1h} | invalid-value | a step does one thing, not instruct and wait | "],
    ),
    "no step": ("[]", ["[] | invalid-value | a runbook has a step at least | "]),
    "too many steps": (
        f"[{', '.join(f'{{step: s{number}, wait: 1h}}' for number in range(201))}]",
        ["MANY | invalid-value | a runbook has 200 steps at most: nobody follows more | "],
    ),
    "no kind of step": (
        "[{step: a}]",
        ["{step: a} | invalid-value | a step does one thing, one of instruct, check, approve, act, wait, notify | "],
    ),
    "no system": (
        "[{step: a, act: swich.pull, with: {mode: fallback, reason: x}}]",
        ["swich.pull | unknown-act | no system 'swich' to act on | did you mean 'switch.pull'?"],
    ),
    "no operation": (
        "[{step: a, act: switch.pul}]",
        ["switch.pul | unknown-act | 'switch' has no operation 'pul' | did you mean 'pull'?"],
    ),
    "no operation of what takes it back": (
        "[{step: a, act: switch.pull, with: {mode: fallback, reason: x}, undo: {act: switch.restor}}]",
        ["switch.restor | unknown-act | 'switch' has no operation 'restor' | did you mean 'restore'?"],
    ),
    "a parameter of no act": (
        "[{step: a, act: switch.pull, with: {mode: fallback, reasn: x}}]",
        [
            "switch.pull | wrong-act | switch.pull: give `reason` | ",
            "reasn | wrong-act | switch.pull takes no `reasn` | did you mean 'reason'?",
        ],
    ),
    "a parameter of another kind": (
        "[{step: a, act: switch.pull, with: {mode: 3, reason: x, expires: soon}}]",
        [
            "3 | wrong-act | `mode` must be 'throttle', 'shadow', 'fallback' or 'stopped' | ",
            "soon | wrong-act | `expires` must be a duration such as 30m, 1h30m or 7d, not 'soon' | ",
        ],
    ),
    "parameters that are still open": (
        "[{step: a, act: switch.pull, with: {mode: '{labels.mode}', reason: '{run.id}', expires: '{labels.x}'}}]",
        [],
    ),
    "braces without quotes": (
        "[{step: a, act: switch.pull, with: {mode: fallback, reason: {run.id}}}]",
        ['{run.id} | cut-expression | braces without quotes are a map for YAML | write "{run.id}"'],
    ),
    "no role": (
        "[{step: a, approve: {role: aprover}}]",
        [
            (
                "aprover | unknown-value | must be one of viewer, responder, approver or admin, not 'aprover'"
                " | did you mean 'approver'?"
            )
        ],
    ),
    "no notifier": (
        "[{step: a, notify: {message: Hello., notifier: pagr}}]",
        ["pagr | unknown-notifier | no notifier 'pagr' | did you mean 'pager'?"],
    ),
    "no channel": (
        "[{step: a, notify: {message: Hello., channel: lending}}]",
        ["lending | bad-channel | 'lending' is no channel: #name, or the id that Slack gives it | write #lending"],
    ),
    "channels": (
        (
            "[{step: a, notify: {message: Hi., channel: '{card.owners.channel}'}},"
            " {step: b, notify: {message: Hi., channel: '#x'}}]"
        ),
        [],
    ),
    "no metric": (
        "[{step: a, check: metrics.eror < 0.1}]",
        ["eror | unknown-metric | no metric 'eror' | did you mean 'errors'?"],
    ),
    "no truth": (
        "[{step: a, check: metrics.errors + 1.0}]",
        ["metrics.errors + 1.0 | wrong-type | this gives a double, it must give a bool | "],
    ),
    "no parameter": (
        "parameters: {to: {default: x}}\nsteps: [{step: a, instruct: 'Is {parameters.too} good?'}]",
        ["too | unknown-field | no field 'too' in parameters | did you mean 'to'?"],
    ),
    "a parameter of another type": (
        "parameters: {limit: {type: duration, default: 7d}}\nsteps: [{step: a, check: parameters.limit > 3.0}]",
        [
            (
                "parameters.limit > 3.0 | wrong-type | cannot compare a duration with a double"
                " | write a duration, such as duration('30m')"
            )
        ],
    ),
    "a default of another type": (
        (
            "parameters: {n: {type: number, default: many}, d: {type: duration, default: soon},"
            " b: {type: bool, default: 1}}\nsteps: [{step: a, instruct: Look.}]"
        ),
        [
            "many | wrong-default | the default must be a number, not 'many' | ",
            "soon | wrong-default | the default must be a duration such as 30m, 1h30m or 7d, not 'soon' | ",
            "1 | wrong-default | the default must be true or false, not 1.0 | ",
        ],
    ),
    "a version that is no text": (
        "parameters: {to: {default: 3}}\nsteps: [{step: a, instruct: Look.}]",
        ['3 | wrong-default | the default must be text, not 3.0 | write "3"'],
    ),
    "a default that sees the future": (
        "parameters: {to: {default: '{steps.a.by}'}}\nsteps: [{step: a, instruct: Look.}]",
        ["steps | unknown-name | no variable 'steps' | "],
    ),
    "a later step": (
        f"[{{step: a, when: steps.pull.changed, instruct: Look.}}, {PULL}]",
        ["pull | later-step | step 'pull' does not come before this one on any way | "],
    ),
    "a step on another way": (
        (
            "[{step: a, check: 1 < 2, on_failure: c}, {step: b, wait: 1h, then: end},"
            " {step: c, instruct: 'After {steps.b.state}.'}]"
        ),
        ["b | later-step | step 'b' does not come before this one on any way | "],
    ),
    "a step before on the way back": (
        "[{step: a, instruct: 'Once more? {steps.b.detail}'}, {step: b, check: 1 < 2, then: {step: a, at_most: 2}}]",
        [],
    ),
    "a step with a hyphen": (
        "[{step: put-back, instruct: Look.}, {step: b, instruct: 'By {steps.put-back.by}.'}]",
        [
            "put | unknown-field | no field 'put' in steps | a hyphen is a minus in CEL: write steps.put_back",
            "back | unknown-name | no variable 'back' | ",
        ],
    ),
    "both spellings of a hyphen": (
        (
            "[{step: put-back, instruct: Look.},"
            " {step: b, instruct: \"By {steps.put_back.by}, {steps['put-back'].state}.\"}]"
        ),
        [],
    ),
    "no output of an act": (
        f"[{PULL}, {{step: b, instruct: 'It stands at {{steps.pull.mod}}.'}}]",
        ["mod | unknown-field | no field 'mod' in steps.pull | did you mean 'mode'?"],
    ),
    "labels that cannot be joined": (
        "[{step: a, check: metrics.psi < 0.2 && metrics.recall > 0.7}]",
        [
            (
                "metrics.psi < 0.2 && metrics.recall > 0.7 | no-shared-label"
                " | metrics.psi has feature, metrics.recall has slice; they share none | write max(metrics.recall)"
            )
        ],
    ),
    "inside a folded block": (
        "\n  - step: a\n    check: >-\n      metrics.errors < 0.1\n      && metrics.eror < 0.1\n",
        ["eror | unknown-metric | no metric 'eror' | did you mean 'errors'?"],
    ),
    "inside a literal block": (
        "\n  - step: a\n    instruct: |\n      Look.\n      It is {metrics.eror}.\n",
        ["eror | unknown-metric | no metric 'eror' | did you mean 'errors'?"],
    ),
    "a brace that is not closed": (
        "[{step: a, instruct: 'It is {metrics.errors.'}]",
        ["{ | syntax | this brace is not closed | a brace is written {{"],
    ),
    "a part of the card that may be absent": ("[{step: a, instruct: 'It is {card.versions.canary.version}.'}]", []),
    "evidence that may be absent": (
        "[{step: a, check: evidence.trained > run.started_at}]",
        ["evidence.trained | unguarded-field | evidence.trained may be absent | write has(evidence.trained) && …"],
    ),
    "for which models": (
        "applies_to: card.teir == 1\nsteps: [{step: a, instruct: Look.}]",
        ["teir | unknown-field | no field 'teir' in card | did you mean 'tier'?"],
    ),
    "a schedule without values": (
        "every: 90d\nparameters: {to: {}}\nsteps: [{step: a, instruct: Look.}]",
        ["{} | no-default | a schedule starts it, and nobody is there who could say 'to' | give it a default"],
    ),
    "a dry run of nothing": (
        "dry_run: true\nsteps: [{step: a, instruct: Look.}]",
        [
            (
                "true | no-effect | `dry_run` is about what a schedule starts, and about what a run proves"
                " | give `every` or `proves`, or remove it"
            )
        ],
    ),
    "a drill": ("every: 90d\ndry_run: true\nproves: drilled\nsteps: [{step: a, instruct: Look.}]", []),
    "a review": (
        "proves: reviewed\nsteps: [{step: a, instruct: Look.}]",
        [
            (
                "reviewed | wrong-evidence | a review is made by a team, and a run says none"
                " | use a step with act: evidence.record and the team"
            )
        ],
    ),
}
# What the card says, and why a runbook that it names is not for it.
USES = {
    "rollback: {when: metrics.errors > 0.5, then: {runbook: onlylook}}": [
        "onlylook | unknown-runbook | no runbook 'onlylook' | did you mean 'only-look'?"
    ],
    "rollback: {when: metrics.errors > 0.5, then: {runbook: only-look}}": [],
    "rules: [{rule: r, when: metrics.errors > 0.5, enforcement: act, then: {runbook: only-look}}]": [],
    "retraining: {when: metrics.errors > 0.5, then: {runbook: of-canaries}}": [
        ("of-canaries | unfit-runbook | runbook 'of-canaries' is not for M: its card has no versions.canary | ")
    ],
    "rules: [{rule: r, when: metrics.errors > 0.5, then: {runbook: of-latency}}]": [
        "of-latency | unfit-runbook | runbook 'of-latency' is not for M: step 'a': no metric 'latency' | "
    ],
    "rules: [{rule: r, when: metrics.errors > 0.5, then: {runbook: of-fallbacks}}]": [
        (
            "of-fallbacks | unfit-runbook | runbook 'of-fallbacks' is not for M: its card has no versions.fallback,"
            " which step 'a' reads | "
        )
    ],
    "rules: [{rule: r, when: metrics.errors > 0.5, then: {runbook: asks}}]": [],
    "rules: [{rule: r, when: metrics.errors > 0.5, then: {runbook: of-many}}]": [
        "of-many | unfit-runbook | runbook 'of-many' is not for M: step 'a' needs 2 approvers, and there is 1: ana | "
    ],
    "rules: [{rule: r, when: metrics.errors > 0.5, enforcement: act, then: {runbook: asks}}]": [
        (
            "asks | unfit-runbook | runbook 'asks' is not for M: a rule that acts says no parameters,"
            " and to has no default | "
        )
    ],
}
RUNBOOKS = {
    "of-many": "[{step: a, approve: {people: 2}}]",
    "only-look": "[{step: a, instruct: Look.}]",
    "of-canaries": "[{step: a, instruct: Look.}]\napplies_to: has(card.versions) && has(card.versions.canary)",
    "of-latency": "[{step: a, check: metrics.latency < 0.2}]",
    "of-fallbacks": "[{step: a, instruct: 'Does {card.versions.fallback} answer?'}]",
    "asks": "[{step: a, instruct: 'Does {parameters.to} load?'}]\nparameters: {to: {}}",
}


# What an organisation has to name so that every shipped runbook can run.
SHIPPED_ORG = ORG + "acts: {http: {kind: http}, mlflow: {kind: mlflow, address: 'http://localhost:5000'}}\n"


def name_of(case: str) -> str:
    return re.sub(r"[^a-z]+", "-", case)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Problem]]:
    """The problems of all cases, by the name of their file: one directory holds them, as loading costs most."""
    folder: Path = tmp_path_factory.mktemp("place")
    (folder / "policies").mkdir()
    (folder / "runbooks").mkdir()
    (folder / "policies" / "org.yaml").write_text(ORG)
    (folder / "policies" / "loans.yaml").write_text(CARD)
    fast = CARD.replace("loans", "fast") + "  latency: {source: s, query: latency}\n"
    (folder / "policies" / "fast.yaml").write_text(fast)
    for case, (said, _) in CASES.items():
        body = said if "steps:" in said else f"steps: {said}"
        text = f"kind: runbook\nrunbook: {name_of(case)}\ndescription: d\n{body}\n"
        (folder / "runbooks" / f"{name_of(case)}.yaml").write_text(text)
    for name, said in RUNBOOKS.items():
        text = f"kind: runbook\nrunbook: {name}\ndescription: d\nsteps: {said}\n"
        (folder / "runbooks" / f"{name}.yaml").write_text(text)
    for number, said in enumerate(USES):
        (folder / "policies" / f"use-{number}.yaml").write_text(CARD.replace("loans", f"m-{number}") + said + "\n")
    by_file: dict[str, list[Problem]] = {}
    for each in policies([folder / "policies"]).problems:
        by_file.setdefault(Path(each.position.file).stem, []).append(each)
    return by_file


def shown(problem: Problem) -> str:
    start = problem.position.column - 1
    marked = problem.source[start : start + problem.position.length]
    marked = marked if len(marked) < 200 else "MANY"
    return f"{marked} | {problem.code} | {problem.message} | {problem.suggestion}"


@pytest.mark.parametrize("case", CASES)
def test_each_problem_stands_at_its_place(found: dict[str, list[Problem]], case: str) -> None:
    assert [shown(each) for each in found.get(name_of(case), [])] == CASES[case][1]


@pytest.mark.parametrize("number", range(len(USES)), ids=list(USES))
def test_a_card_names_runbooks_that_are_for_its_model(found: dict[str, list[Problem]], number: int) -> None:
    expected = [each.replace("for M:", f"for m-{number}:") for each in list(USES.values())[number]]
    assert [shown(each) for each in found.get(f"use-{number}", [])] == expected


def test_the_runbooks_that_cards_name_have_no_problems_of_their_own(found: dict[str, list[Problem]]) -> None:
    assert not set(found) & set(RUNBOOKS)


def test_a_runbook_that_is_checked_alone_knows_the_metrics_of_the_cards_around_it(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    (tmp_path / "policies" / "loans.yaml").write_text(CARD)
    path = tmp_path / "runbooks" / "own.yaml"
    path.write_text("kind: runbook\nrunbook: own\ndescription: d\nsteps: [{step: a, check: metrics.errors < 0.1}]\n")
    assert policies([path], context=[tmp_path / "policies"]).problems == ()
    path.write_text(path.read_text().replace("errors", "errros"))
    (problem,) = policies([path], context=[tmp_path / "policies"]).problems
    assert problem.suggestion == "did you mean 'errors'?"


def test_the_shipped_runbooks_have_no_problems(tmp_path: Path) -> None:
    """Those of an organisation that names the systems they act on; without, the card that names one is told."""
    (tmp_path / "policies").mkdir()
    shutil.copytree(shipped("runbooks"), tmp_path / "runbooks")
    (tmp_path / "policies" / "org.yaml").write_text(SHIPPED_ORG)
    (tmp_path / "policies" / "loans.yaml").write_text(CARD)
    assert [each.render() for each in policies([tmp_path / "policies"]).problems] == []
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    shutil.rmtree(tmp_path / "runbooks")
    assert policies([tmp_path / "policies"]).problems == (), "nobody names one"
    versions = CARD.replace("versions: {", "log: {source: s, table: t, columns: {time: at, version: v}}\nversions: {")
    (tmp_path / "policies" / "loans.yaml").write_text(
        f"{versions}rollback: {{when: metrics.errors > 0.5, then: {{runbook: roll-back}}}}\n"
    )
    (problem,) = policies([tmp_path / "policies"]).problems
    assert problem.position.file.endswith("loans.yaml")
    assert problem.message == "runbook 'roll-back' cannot run here: no system 'mlflow' to act on"
    assert "`acts` of org.yaml" in problem.suggestion
