"""Runbooks are documents of the policies: found beside them, stored with their version, and followed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from following import Place, followed

from governance import policies as loading
from governance.core.policy_version import digest_of
from governance.policies import policies, stored_policies

LOOK = """\
kind: runbook
runbook: {name}
description: {text}
steps: [{{step: look, instruct: Compare the versions.}}]
"""
CARD = "kind: card\nmodel: loans\nowners: {team: t}\nmetrics: {x: {source: s, query: q}}\n"
ORG = "kind: org\nsources: {s: {kind: push}}\n"


def runbook(name: str, text: str = "Look.") -> str:
    return LOOK.format(name=name, text=text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of policies with runbooks beside it, below it, and one that comes with the package."""
    (tmp_path / "policies" / "more").mkdir(parents=True)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "package" / "runbooks").mkdir(parents=True)
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    (tmp_path / "policies" / "loans.yaml").write_text(CARD)
    (tmp_path / "runbooks" / "beside.yaml").write_text(runbook("beside"))
    (tmp_path / "policies" / "more" / "below.yaml").write_text(runbook("below"))
    for name in ("beside", "brought"):
        (tmp_path / "package" / "runbooks" / f"{name}.yaml").write_text(runbook(name, "Of the package."))
    usual = loading.shipped
    for each in usual("runbooks").glob("*.yaml"):  # the packs propose them
        (tmp_path / "package" / "runbooks" / each.name).symlink_to(each)
    monkeypatch.setattr(
        loading, "shipped", lambda name: tmp_path / "package" / name if name == "runbooks" else usual(name)
    )
    return tmp_path


def test_they_come_from_beside_below_and_the_package(folder: Path) -> None:
    loaded = policies([folder / "policies"])
    assert loaded.problems == ()
    said = {name: each.document.description for name, each in loaded.plan.runbooks.items()}
    assert {"beside": "Look.", "below": "Look.", "brought": "Of the package."}.items() <= said.items()
    names = [each for each in loaded.documents if "brought" in each or "side" in each or "below" in each]
    assert sorted(names) == ["more/below.yaml", "runbooks/beside.yaml", "shipped/runbooks/brought.yaml"]


def test_a_stored_version_brings_them_back(folder: Path) -> None:
    loaded = policies([folder / "policies"])
    stored = stored_policies(loaded.documents, "policies")
    assert stored.problems == ()
    assert stored.plan.version == loaded.plan.version
    assert {name: each.document for name, each in stored.plan.runbooks.items()} == {
        name: each.document for name, each in loaded.plan.runbooks.items()
    }


def test_a_change_of_one_is_another_version_of_the_documents(folder: Path) -> None:
    before = digest_of(policies([folder / "policies"]).documents)
    (folder / "runbooks" / "beside.yaml").write_text(runbook("beside", "Look again."))
    assert digest_of(policies([folder / "policies"]).documents) != before


def test_a_setting_says_where_they_lie(folder: Path, tmp_path: Path) -> None:
    (folder / "runbooks").rename(folder / "ops")
    (missing,) = (each for name, each in policies([folder / "policies"]).plan.runbooks.items() if name == "beside")
    assert missing.document.description == "Of the package."
    for named in (Path("ops"), folder / "ops"):
        found = policies([folder / "policies"], runbooks=named).plan.runbooks["beside"]
        assert found.document.description == "Look."


def test_files_of_one_name_in_both_places_are_both_kept(folder: Path) -> None:
    (folder / "policies" / "runbooks").mkdir()
    (folder / "policies" / "runbooks" / "beside.yaml").write_text(runbook("other"))
    loaded = policies([folder / "policies"])
    stored = stored_policies(loaded.documents, "policies")
    assert set(stored.plan.runbooks) == set(loaded.plan.runbooks) >= {"beside", "other"}


def test_a_card_alone_knows_the_runbooks_around_it(folder: Path) -> None:
    loaded = policies([folder / "policies" / "loans.yaml"], context=[folder / "policies"])
    assert {"beside", "below", "brought"} <= set(loaded.plan.runbooks)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place whose engine has looked once."""
    yield from followed(tmp_path)


def test_a_runbook_that_is_written_while_the_engine_runs_is_taken(place: Place) -> None:
    assert "beside" not in place.engine.plan.runbooks
    (place.directory / "runbooks").mkdir()
    path = place.directory / "runbooks" / "beside.yaml"
    path.write_text(runbook("beside"))
    place.beat()
    assert place.engine.plan.runbooks["beside"].document.description == "Look."
    assert place.entries("policy.adopted")[-1]["changes"] == ["added runbook beside"]
    path.write_text(runbook("beside", "[broken"))
    place.beat()
    assert "beside.yaml" in place.said
    assert place.engine.plan.runbooks["beside"].document.description == "Look.", "the last good version rules"
    path.write_text(runbook("beside", "Look again."))
    place.beat()
    assert place.entries("policy.adopted")[-1]["changes"] == ["changed runbook beside"]
    place.start()
    place.beat()
    assert place.engine.plan.runbooks["beside"].document.description == "Look again."


def test_the_authors_of_runbooks_are_authors_of_the_version(place: Place) -> None:
    top = place.directory
    path = top / "runbooks" / "beside.yaml"
    path.parent.mkdir()
    path.write_text(runbook("beside"))
    (top / ".gitignore").write_text(".gov/\n")
    place.git("init", "-q", where=top)
    place.git("add", ".", where=top)
    place.git("commit", "-qm", "Begin", where=top)
    place.beat()
    path.write_text(runbook("beside", "Look again."))
    place.beat()
    assert str(place.entries("policy.adopted")[-1]["commit"]).endswith("+"), "nobody can tell who edited it here"
    place.git("commit", "-qam", "Look again", who="bo", where=top)
    path.write_text(runbook("beside", "Look once more."))
    place.git("commit", "-qam", "Look once more", who="cy", where=top)
    place.beat()
    assert place.engine.plan.runbooks["beside"].document.description == "Look once more."
    entry = place.entries("policy.adopted")[-1]
    assert not str(entry["commit"]).endswith("+")
    assert {"bo", "cy@example.com"} <= set(entry["authors"])  # type: ignore[call-overload]
