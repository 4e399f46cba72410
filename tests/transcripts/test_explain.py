"""gov explain: every value with the place that it comes from, as its users read it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from transcripts.workspace import DAY, Workspace, parsed

from governance.bootstrap import engine
from governance.engine.adoption import adopt
from governance.settings import Settings

PACK = """kind: pack
pack: house
applies_to: card.tier < 3
parameters:
  limit: {default: 0.5, tighter: lower}
defaults:
  cost: {per_day: 20}
rules:
  - rule: score
    when: metrics.score_mean > parameters.limit
    severity: warning
    for: 1h
    summary: The score is {metrics.score_mean}
  - rule: costly
    when: metrics.cost_per_1k > 1
    severity: info
"""
CARD = """parameters: {house/limit: 0.4}
"""
RULE = """  - rule: house/score
    for: 2h
    enforcement: observe
"""
ONE = """\
loan-risk: policies VERSION

parameters
  house/limit         0.4  ← policies/loan-risk.yaml:26:27
                      tightened, was 0.5  ← policies/packs/house.yaml:5:20

metrics
  score_mean
    measure             score_mean  ← /packs/standard.yaml:36:29
    window              1d  ← /packs/standard.yaml:36:49
    min_samples         100  ← /packs/standard.yaml:36:66
    built in            every 1h, stale_after 3h

rules
  house/score
    when                metrics.score_mean > parameters.limit  ← policies/packs/house.yaml:10:11
    severity            warning  ← policies/packs/house.yaml:11:15
    for                 2h  ← policies/loan-risk.yaml:24:10
                        loosened, was 1h  ← policies/packs/house.yaml:12:10
    enforcement         observe  ← policies/loan-risk.yaml:25:18
                        loosened, was notify
    summary             The score is {metrics.score_mean}  ← policies/packs/house.yaml:13:14
    built in            keep_firing_for 0s, no_data.for 15m, no_data.then alert, no_data.severity
                        warning
"""


@pytest.fixture
def house(workspace: Workspace) -> Workspace:
    """The workspace with a pack that its card changes."""
    (workspace.directory / "policies" / "packs" / "house.yaml").write_text(PACK, encoding="utf-8")
    card = workspace.directory / "policies" / "loan-risk.yaml"
    card.write_text(card.read_text(encoding="utf-8") + RULE + CARD, encoding="utf-8")
    return workspace


def test_one_rule_with_the_place_of_every_value_and_what_it_replaced(house: Workspace) -> None:
    done = house.ask("explain", "loan-risk", "--rule", "house/score")
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(r"policies [0-9a-f]{12}", "policies VERSION", done.stdout)
    assert re.sub(r"\n? *← /\S+/packs/standard", "  ← /packs/standard", text) == ONE


def test_a_whole_policy_fits_a_hundred_columns_and_says_what_does_not_apply(house: Workspace) -> None:
    text = house.ask("explain", "loan-risk").stdout
    assert max(map(len, text.splitlines())) <= 100
    assert re.search(r"\n  cost.per_day +20  ← policies/packs/house.yaml:7:19 \(default\)\n", text)
    assert re.search(r"\n  built in +tier 2, ", text)
    assert "teams.lending.members     ana, bo  ← policies/org.yaml:6:22\n" in text
    assert "  house/costly           cost_per_1k: the log maps no column for cost\n" in text
    assert "  not review             it is for models with size(card.review) > 0" in text
    assert "LOAN_HOOK" not in text


def test_every_place_holds_the_value_that_is_said_to_stand_there(house: Workspace) -> None:
    view = parsed(house.ask("explain", "loan-risk", "--format", "json").stdout)
    values = [each for part in ("card", "organisation", "parameters") for each in view[part]]
    values += [value for part in ("metrics", "rules") for each in view[part] for value in each["values"]]
    said = [each for each in values if each["kind"] != "built in"]
    assert len(said) > 90
    for each in said:
        file, line, column = each["place"].rsplit(":", 2)
        written = (house.directory / file).read_text(encoding="utf-8").splitlines()[int(line) - 1][int(column) - 1 :]
        word = re.split(r"[\s,:\[\]'\"]", each["value"])[0]
        assert word.rstrip("%") in written or written[0] in "|>-{[" or _number(word, written), each


def _number(word: str, written: str) -> bool:
    """Tell whether the text holds the same number or duration in other words, such as 36h for 1d12h."""
    return bool(re.match(r"[\d.]+", word)) and bool(re.match(r"-?\d", written))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("loan-rsk",), "gov: no card declares the model 'loan-rsk'; did you mean 'loan-risk'?\n"),
        (
            ("loan-risk", "--rule", "scores-hi"),
            "gov: no rule 'scores-hi' is declared for 'loan-risk'; did you mean 'scores-high'?\n",
        ),
    ],
)
def test_what_there_is_not_is_refused_with_what_was_meant(
    seen: Workspace, arguments: tuple[str, ...], message: str
) -> None:
    done = seen.ask("explain", *arguments)
    assert (done.returncode, done.stderr) == (2, message)


def test_it_explains_without_a_database_and_beside_problems(tmp_path: Path, house: Workspace) -> None:
    broken = house.copy(tmp_path / "broken")
    broken.database.unlink()
    (broken.directory / "policies" / "other.yaml").write_text(
        "kind: card\nmodel: other\nowners: {team: lending}\n", encoding="utf-8"
    )
    done = broken.ask("explain", "loan-risk", "--rule", "scores-high")
    assert done.returncode == 0
    assert "scores-high" in done.stdout
    assert done.stderr == "gov: warning: the policies have 1 problems, see gov check\n"
    assert not broken.database.exists()


def test_what_ruled_at_a_time_is_explained_from_what_the_engine_stored(house: Workspace) -> None:
    card = house.directory / "policies" / "loan-risk.yaml"
    for day, text in ((0, "limit: 0.4"), (1, "limit: 0.3")):
        card.write_text(card.read_text(encoding="utf-8").replace("limit: 0.4", text), encoding="utf-8")
        settings = Settings(home=house.directory / ".gov", policies=house.directory / "policies")
        built = engine(settings, base=house.directory)
        adopt(built, DAY + timedelta(days=day))
        built.database.close()
    then = house.ask("explain", "loan-risk", "--rule", "house/score", "--at", "2026-01-05T12:00")
    assert (then.returncode, then.stderr) == (0, "")
    assert "house/limit         0.4  ← policies/loan-risk.yaml:26:27\n" in then.stdout
    now = house.ask("explain", "loan-risk", "--rule", "house/score").stdout
    assert "house/limit         0.3  ← policies/loan-risk.yaml:26:27\n" in now
    early = house.ask("explain", "loan-risk", "--at", "2026-01-04")
    assert early.returncode != 0
    assert early.stderr == "gov: no policies ruled at 2026-01-04 00:00Z; the first was adopted at 2026-01-05 00:00Z\n"
