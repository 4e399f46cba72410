"""Several kill switches on the command line: shown, confirmed by typing, pulled, and given back one by one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interfaces.serving import prepared
from transcripts.workspace import Workspace, parsed, rows

from governance.store.database import Database

ORG = """
kind: org
environment: production
people: {ana: {}, bo: {}, vic: {}}
roles: [{role: responder, who: [ana]}, {role: approver, who: [bo]}, {role: viewer, who: [vic]}]
sources: {pushed: {kind: push}}
"""
CARD = """
kind: card
model: MODEL
tier: TIER
owners: {team: lending}
versions: {fallback: rules}
data: {depends_on: [clicks]}
metrics: {errors: {source: pushed, query: error_rate}}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""
BECAUSE = ("--because", "clicks are corrupt", "--as", "ana")
PULL = ("switch", "pull", "--where", "depends_on=clicks", "fallback", *BECAUSE)


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    cards = {
        f"{model}.yaml": CARD.replace("MODEL", model).replace("TIER", tier)
        for model, tier in (("loans", "1"), ("cards", "2"))
    }
    made = Workspace(prepared(tmp_path / "own", {"org.yaml": ORG, **cards}))
    Database(f"sqlite:///{made.database}").create_tables()
    return made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], object]]:
    """Return what types lines on a terminal that commands read."""
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, encoding="utf-8") as reads, os.fdopen(keyboard, "wb", buffering=0) as keys:
        monkeypatch.setattr(sys, "stdin", reads)
        yield lambda text: keys.write(text.encode())


def test_a_dry_run_shows_what_would_become_of_each_and_what_to_type(here: Workspace) -> None:
    here.ask("switch", "pull", "cards", "stopped", "--confirm", "cards", *BECAUSE)
    done = here.ask("switch", "pull", "--all", "fallback", "--dry-run", "--as", "ana")
    assert done.returncode == 0, done.stderr
    table = {row[0]: row for row in rows(done.stdout)}
    assert table["loans"][1:4] == ["1", "pull: live → fallback", "rules (unknown)"]
    assert table["cards"][2].startswith("unchanged: stopped already since ")
    assert "all models in production: 1 to fallback, 1 unchanged, 0 refused" in done.stdout
    assert "the limit on what rules pull (3 models or 10% in 15m) does not hold for people" in done.stdout
    assert 'nothing has changed yet; to do it: --confirm "fallback 1" --digest 1-1-' in done.stdout
    assert "loans" not in here.ask("switch", "list").stdout
    refused = here.ask("switch", "pull", "--all", "fallback", "--dry-run", "--as", "vic")
    assert "these people may: ana" in " ".join(refused.stdout.split())


def test_what_was_shown_is_pulled_once_it_is_typed(here: Workspace) -> None:
    done = here.ask(*PULL)
    assert (done.returncode, done.stdout) == (3, "")
    assert 'pulling 2 models must be confirmed; type fallback 2 (on the command line: --confirm "fallback 2")' in (
        done.stderr
    )
    shown = parsed(here.ask(*PULL, "--dry-run", "--format", "json").stdout)
    here.ask("switch", "pull", "cards", "stopped", "--confirm", "cards", *BECAUSE)
    late = here.ask(*PULL, "--confirm", shown["confirm"], "--digest", shown["digest"])
    assert (late.returncode, late.stdout) == (3, "")
    assert "nothing was pulled, as it is not what you were shown: cards is stopped by ana (seq 1)" in late.stderr
    done = here.ask("switch", "pull", "loans", "cards", "fallback", *BECAUSE, "--confirm", "fallback 1")
    assert done.returncode == 0, done.stderr
    assert [row[:2] for row in rows(done.stdout)[:2]] == [["loans", "pulled"], ["cards", "unchanged"]]
    assert "BATCH-2: 1 pulled, 1 unchanged; sealed as entry " in done.stdout
    assert "gov switch restore --batch BATCH-2" in done.stdout
    entry = parsed(here.ask("audit", "tail", "--kind", "switch.pulled", "--format", "json").stdout)[-1]
    assert (entry["subject"]["model"], entry["body"]["batch"]) == ("loans", "BATCH-2")


def test_on_a_terminal_it_asks_and_gives_back_each_by_its_name_those_of_tier_1_by_two(
    here: Workspace, typed: Callable[[str], object]
) -> None:
    typed("fallback 3\nfallback 2\n")
    assert here.ask(*PULL).returncode == 3, "the wrong number pulls nothing"
    done = here.ask(*PULL)
    assert (done.returncode, "type fallback 2 to confirm: " in done.stderr) == (0, True), done.stderr
    assert "BATCH-1: 2 pulled" in done.stdout
    restore = ("switch", "restore", "--batch", "BATCH-1", "--because", "mended", "--as", "ana")
    typed("loans\n\n")
    first = here.ask(*restore).stdout.splitlines()
    assert first[0].startswith("loans: fallback since entry ")
    assert first[0].endswith("; of tier 1, so a second person must approve")
    assert first[1] == "loans: asked for: APR-1 waits for a second person: gov switch approve APR-1 --as bo"
    assert first[3] == "cards: left: not confirmed (--confirm cards)"
    assert here.ask("switch", "approve", "APR-1", "--as", "bo").returncode == 0
    typed("cards\n")
    second = here.ask(*restore).stdout.splitlines()
    assert second[1].startswith("cards: given back: seq 4, entry ")
    assert second[2].endswith("changed since: it is live")
    assert here.ask("switch", "list").stdout == "every model is live\n"
    assert here.ask(*restore).stdout.startswith("BATCH-1 holds nothing any more")


def test_without_a_terminal_the_names_that_are_given_back_are_said(here: Workspace) -> None:
    assert here.ask(*PULL, "--confirm", "fallback 2").returncode == 0
    restore = ("switch", "restore", "--batch", "BATCH-1", "--because", "mended", "--format", "json")
    found = parsed(here.ask(*restore, "--as", "vic", "--confirm", "cards").stdout)["models"]
    assert [each["outcome"] for each in found] == ["left", "refused"]
    assert found[1]["said"].endswith("these people may: ana, bo")
    found = parsed(here.ask(*restore, "--as", "ana", "--confirm", "cards,loans").stdout)["models"]
    assert [(each["model"], each["outcome"]) for each in found] == [("loans", "asked for"), ("cards", "given back")]


def test_mistakes_say_what_to_write(here: Workspace) -> None:
    for arguments, said in (
        (("switch", "pull", "fallback", *BECAUSE), "say which models: their names, or --where, or --all"),
        (("switch", "pull", "loans", "--all", "fallback", *BECAUSE), "one of the three"),
        (("switch", "pull", "--where", "team", "fallback", *BECAUSE), "--where is NAME=VALUE"),
        (("switch", "pull", "--all", "fallback", "--as", "ana"), "say why: --because"),
        (("switch", "pull", "--all", "fallback", "--version", "7", *BECAUSE), "no --offline, --version or --label"),
        (("switch", "restore", "--because", "x"), "name the model, or the act on several with --batch"),
        (("switch", "restore", "--batch", "BATCH-9", "--because", "x"), "no act on several models 'BATCH-9'"),
        (("switch", "pull", "--where", "team=lendin", "fallback", *BECAUSE), "did you mean 'lending'?"),
    ):
        done = here.ask(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert said in " ".join(done.stderr.replace("│", " ").split())
