"""A checkout whose policies an engine follows: it is pulled, and who made a commit cannot be its second person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from following import ORG, Place

from governance.engine import consent
from governance.errors import Denied


def _committed(place: Place) -> Path:
    """Put the policies into a repository elsewhere, and a checkout of it in their place."""
    origin = place.directory / "origin"
    place.policies.rename(origin)
    place.git("init", "-q", "-b", "main", where=origin)
    place.git("add", ".", where=origin)
    place.git("commit", "-qm", "one", where=origin)
    place.git("clone", "-q", str(origin), str(place.policies), where=place.directory)
    return origin


def test_a_checkout_is_pulled_and_the_commit_and_its_authors_are_known(tmp_path: Path) -> None:
    place = Place(tmp_path)
    origin = _committed(place)
    place.start(pull_every=timedelta(seconds=0))
    card = origin / "loans.yaml"
    card.write_text(card.read_text().replace("> 0.5", "> 0.9"))
    place.git("commit", "-qam", "ana loosens", who="ana", where=origin)
    card.write_text(card.read_text() + "description: Loans\n")
    place.git("commit", "-qam", "bo describes", who="bo", where=origin)
    place.beat()
    waiting = place.engine.standing.waiting
    assert waiting is not None
    assert waiting.origin.commit == place.git("rev-parse", "HEAD", where=origin)
    assert (waiting.origin.by, set(waiting.origin.authors)) == ("bo", {"ana", "bo"})
    for author in ("ana", "bo"):
        with pytest.raises(Denied, match="had a part in this version"):
            consent.approve(place.engine, "APR-1", actor=author, at=place.clock.time)
    card.write_text(card.read_text().replace("> 0.9", "> 0.5"))
    place.git("commit", "-qam", "cy takes it back", who="cy", where=origin)
    place.beat()
    assert place.engine.standing.waiting is None
    assert place.entries("policy.adopted")[-1]["how"] == "git"
    assert "description: Loans" in place.engine.documents["loans.yaml"]


@pytest.mark.parametrize(
    ("who", "author"),
    [("bo", "Cy <cy@example.com>"), ("cy", "Bo <BO@Example.com>"), ("cy", "Desk <desk@example.com>")],
    ids=["in another's name", "another spelling", "an address of several people"],
)
def test_nobody_is_the_second_person_of_a_commit_of_their_own(tmp_path: Path, who: str, author: str) -> None:
    place = Place(tmp_path)
    place.write("org.yaml", ORG.replace("people: {", "people: {dee: {email: desk@example.com}, ")
                .replace("cy: {}", "di: {email: desk@example.com}").replace("who: [cy]", "who: [dee]")
                .replace("[bo, ana]", "[bo, ana, di]") + "sources: {pushed: {kind: push}}\n")  # fmt: skip
    origin = _committed(place)
    place.start(pull_every=timedelta(seconds=0))
    card = origin / "loans.yaml"
    card.write_text(card.read_text().replace("> 0.5", "> 0.9"))
    place.git("commit", "-qam", "loosen", "--author", author, who=who, where=origin)
    place.beat()
    with pytest.raises(Denied, match="had a part in this version"):
        consent.approve(place.engine, "APR-1", actor="di" if "desk" in author else "bo", at=place.clock.time)
    consent.approve(place.engine, "APR-1", actor="ana", at=place.clock.time)


def test_a_repository_that_cannot_be_reached_is_an_incident_after_three_tries(tmp_path: Path) -> None:
    place = Place(tmp_path)
    origin = _committed(place)
    place.start(pull_every=timedelta(seconds=0))
    place.beat()
    origin.rename(tmp_path / "gone")
    place.beat()
    assert place.said == ""  # two tries: a network has its moments
    place.beat()
    assert "the policies cannot be pulled: git pull failed: fatal:" in place.said
    ((status, title, _),) = place.opened()
    assert (status, "cannot be pulled" in title) == ("triggered", True)
    (tmp_path / "gone").rename(origin)
    place.beat()
    assert place.said == ""
    assert [each[0] for each in place.opened()] == ["resolved"]
