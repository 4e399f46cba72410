"""`gov export fleet`: what an auditor takes along says what is so, proves it, and obeys nobody."""

from __future__ import annotations

import re
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from report.reading import Page, section
from report.world import END, EVIL, START, World
from transcripts.workspace import Workspace

from governance.exchange.report.style import DARK, LIGHT
from governance.store import decision_log

AT = f"{END:%Y-%m-%dT%H:%MZ}"


@pytest.fixture(scope="module")
def html(audited: World) -> str:
    done = Workspace(audited.directory).ask("export", "fleet", "--at", AT)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def markdown(audited: World) -> str:
    return Workspace(audited.directory).ask("export", "fleet", "--to", "markdown", "--at", AT).stdout


def test_the_fleet_comes_first_and_what_is_not_compliant_before_the_rest(page: Page) -> None:
    tiers = [each[:2] for each in page.rows if each[0].startswith(("1, ", "2, ", "3, "))]
    assert tiers == [["1, critical", "1"], ["2, important", "2"], ["3, experimental", "0"]]
    begin = page.row("Model", "Tier", "Found")
    listed = [each[0] for each in page.rows[page.rows.index(begin) + 1 :][:3]]
    assert listed[0] == "loans", "tier 1 with controls that are not met"
    assert set(listed[1:]) == {"chat", "fraud"}


def test_a_control_is_told_with_its_evidence(html: str, page: Page) -> None:
    loans = Page(section(html, "m-loans"))
    logs = loans.row("✓ met", "AI Act Article 26(6)")
    assert "predictions are kept for at least 200d" in logs[2]
    stop = loans.row("✓ met", "AI Act Article 14")
    assert "the kill switch was pulled on 2026-01-31" in stop[2]
    back = loans.row("✗ not met", "NIST MANAGE 2.4")
    assert "the rollback was practised on 2025-10-23, 100 days ago; due every 90d" in back[2]
    assert loans.row("? no evidence", "NIST MEASURE 2.11")[2].startswith("the card names no slices")
    assert loans.row("✓ met", "iso-42001/a.6.2.6"), "what only a rule names is not lost"
    for each in (stop, back):
        assert each[3], "by the number of the entry"
        assert {f"e{number}" for number in each[3].split(", ")} <= set(page.ids)


def test_every_entry_that_is_cited_has_the_digest_of_the_log(audited: World, page: Page) -> None:
    start = page.rows.index(page.row("Entry", "Kind", "Time", "Actor", "Digest"))
    rows = page.rows[start + 1 :][: len([each for each in page.ids if re.fullmatch(r"e\d+", each)])]
    cited = {each for each in page.anchors if re.fullmatch(r"#e\d+", each)}
    assert cited == {f"#e{each[0]}" for each in rows}
    assert len(rows) > 6
    for number, kind, _, actor, digest in rows:
        entry = decision_log.entry(audited.engine.database, int(number)).decision
        assert (kind, actor) == (entry.kind, entry.actor)
        assert decision_log.receipt(audited.engine.database, int(number)).leaf_hash.hex() == digest


def test_the_head_is_printed_and_an_entry_is_proved_against_it(audited: World, markdown: str) -> None:
    work = Workspace(audited.directory)
    (command,) = re.findall(r"`gov (audit proof [^`]*)`", markdown)
    done = work.ask(*command.split())
    assert done.returncode == 0, done.stderr
    assert "proved: entry" in done.stdout
    number = command.split()[2]
    (digest,) = re.findall(rf"^\| {number} \|.*`(\w{{64}})` \|$", markdown, re.MULTILINE)
    assert work.ask(*command.split(), "--digest", digest).returncode == 0
    assert work.ask(*command.split(), "--digest", "00").returncode == 1
    forged = work.ask(*command.split()[:-1], "00" * 32)
    assert (forged.returncode, "NOT PROVED" in forged.stdout) == (1, True)
    assert "no head of 999 entries" in work.ask("audit", "proof", "0", "--size", "999").stderr
    assert work.ask("audit", "verify").returncode == 0


def test_a_model_without_data_has_no_green_about_data(html: str) -> None:
    chat = Page(section(html, "m-chat"))
    for control in ("NIST MEASURE 2.3", "NIST MEASURE 2.4", "NIST MEASURE 2.11", "NIST MEASURE 3.1", "NIST MANAGE 1.1"):
        found = chat.row("", control)
        assert found[0] in ("? no evidence", "✗ not met"), found
    assert "generative models are outside the scope" in section(html, "m-chat")
    assert "the card declares no data" in section(html, "m-chat")


def test_a_waiver_is_told_with_its_end_and_is_not_compliance(html: str) -> None:
    fraud = section(html, "m-fraud")
    assert "2026-02-09 20:00Z" in fraud
    assert "in 9 d" in fraud
    assert "ana, approved by bob" in fraud
    assert "critical" in Page(fraud).row("✗ critical", "INC-")[0]
    assert "at most 90d, less than six months" in fraud


def test_budgets_are_drawn(html: str) -> None:
    loans = section(html, "m-loans")
    plots = re.findall(r'<svg class="plot good".*?</svg>', loans)
    assert len(plots) == 2
    assert all(re.search(r'points="[\d., ]+"', each) for each in plots)
    assert 'aria-label="Error budget left: 86%"' in loans, "1 of 14 minutes is bad, and half of them may be"
    assert re.search(r">fast</td>.*?✓ 86%", loans)


def test_cost_retention_and_people(html: str) -> None:
    loans = re.sub(r"<[^>]+>", " ", section(html, "m-loans"))
    for each in (
        "income: direct",
        "predictions at most 400d, at least 200d",
        "lending, risk",
        "40 EUR a day",
        "#loans",
    ):
        assert each in loans
    assert re.search(r"Kill switch\s+✗ fallback\s+for model, by bob: an exercise", loans)


def test_it_says_what_it_is_not(html: str, markdown: str) -> None:
    for text in (html, markdown):
        assert "not legal advice" in text
        assert "2 December 2027" in text
        assert "72 subcategories" in text
        assert "How each control is judged" in text
        assert "gov audit verify" in text


def test_the_page_fetches_nothing_and_obeys_nothing(page: Page, html: str) -> None:
    assert page.asked == []
    outside = [each for each in page.anchors if not each.startswith("#")]
    assert {each.split(":")[0] for each in outside} == {"https"}
    assert not [each for each in outside if "evil" in each]
    assert {each[1:] for each in page.anchors if each.startswith("#")} <= set(page.ids), "no anchor leads nowhere"
    assert len(set(page.ids)) == len(page.ids)
    assert "&lt;script&gt;alert(1)" in html, "it is shown"
    assert "\u202e" not in html
    assert "default-src 'none'" in html


def test_hostile_text_makes_no_cell_and_no_markup_in_markdown(markdown: str) -> None:
    assert "<script" not in markdown.replace("\\<script", "")
    assert "\u202e" not in markdown
    for rows in re.findall(r"(?:^\|.*\|\n)+", markdown, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()}) == 1
    assert EVIL[:9] not in markdown.replace("\\", "@")


def test_an_earlier_instant_is_told_as_it_was(audited: World) -> None:
    early = f"{START + timedelta(minutes=90):%Y-%m-%dT%H:%MZ}"
    text = Workspace(audited.directory).ask("export", "fleet", "--to", "markdown", "--at", early).stdout
    fraud = text.partition("### fraud")[2].partition("\n### ")[0]
    assert "✗ critical" not in fraud, "that came an hour later"
    assert "Nothing was recorded" in fraud
    before = f"{START - timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    text = Workspace(audited.directory).ask("export", "fleet", "--to", "markdown", "--at", before).stdout
    assert "were never adopted by an engine" in text
    assert "has no head by this time" in text
    assert "✓" not in text.partition("## Controls")[2], "nothing was known, and nothing is green"


def test_a_tampered_entry_is_told(audited: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(audited.directory, copy)
    with sqlite3.connect(copy / ".gov" / "governance.db") as database:
        database.execute("DROP TRIGGER IF EXISTS log_entries_no_update")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE log_entries SET content = replace(content, 'exercise', 'EXERCISE') WHERE kind = 'switch.pulled'"
        )
    text = Workspace(copy).ask("export", "fleet", "--to", "markdown", "--at", AT).stdout
    assert "The content of these entries does not match their digests" in text
    assert "✗ its content differs" in text
    assert re.search(r"✗ not met \| \*\*AI Act Article 12.*do not have the digests", text)


def test_policies_that_no_engine_rules_by_are_told(audited: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(audited.directory, copy)
    card = copy / "policies" / "chat.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace("> 0.5", "> 0.6"), encoding="utf-8")
    text = Workspace(copy).ask("export", "fleet", "--to", "markdown", "--at", AT).stdout
    assert "were never adopted by an engine by this time" in text


def test_it_is_written_to_a_file_and_a_model_of_that_name_keeps_its_card(audited: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(audited.directory, copy)
    work = Workspace(copy)
    assert work.ask("export", "fleet", "--at", AT, "-o", "out/fleet.html").stdout == "wrote out/fleet.html\n"
    assert work.ask("export", "fleet", "--at", AT, "-o", "out/fleet.html").returncode == 3
    assert "html or markdown" in work.ask("export", "fleet", "--to", "cyclonedx").stderr
    assert "--to" in work.ask("export", "loans").stderr
    named = (copy / "policies" / "chat.yaml").read_text(encoding="utf-8").replace("model: chat", "model: fleet")
    (copy / "policies" / "fleet.yaml").write_text(named, encoding="utf-8")
    done = work.ask("export", "fleet", "--to", "markdown", "--at", AT)
    assert done.stdout.startswith("# Fleet report: audited")
    assert "a model is called fleet, too; its card is: gov export model:fleet" in done.stderr
    assert work.ask("export", "model:fleet", "--to", "markdown", "--at", AT).stdout.startswith("# fleet\n")


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_its_colours_can_be_read(colours: dict[str, str]) -> None:
    for ink in ("ink", "soft", "bad", "unknown", "good", "quiet", "link"):
        grounds = ["page", "sheet", *([f"{ink}-bg"] if f"{ink}-bg" in colours else [])]
        for ground in grounds:
            assert contrast(colours[ink], colours[ground]) >= 5, (ink, ground)
    assert contrast(colours["ink"], colours["bad-bg"]) >= 5


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
