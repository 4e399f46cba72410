"""Do the policies load, and are they those that rule?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.policy_version import digest_of
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.store import policy_versions


def check(here: Installation) -> Iterator[Finding]:
    """Say what is wrong with the policies on disk, and whether another version rules."""
    found, where = here.policies, here.settings.policies
    if found.problems:
        said = f"{len(found.problems)} in {where}, the first: {found.problems[0].render().splitlines()[0]}"
        yield wrong("policies", "problems", said, "gov check lists them")
    else:
        models = len(found.plan.policies)
        yield well("policies", "problems", f"none in {where}: {models} policies, the engine's own among them")
    if not found.organised and not found.problems:
        said = f"{where} has no document of kind org"
        yield wrong(
            "policies", "organisation", said, "write org.yaml: people, sources, notifiers (gov init drafts one)"
        )
    yield from _ruling(here)


def _ruling(here: Installation) -> Iterator[Finding]:
    if here.database is None:
        return
    with here.database.read() as connection:
        last = policy_versions.in_force(connection)
    if last is None:
        yield open_("policies", "version", "none was adopted yet", "gov serve adopts the first")
    elif last.digest == digest_of(here.policies.documents):
        yield well("policies", "version", f"{last.version[:12]} rules, as on disk")
    else:
        yield open_(
            "policies", "version", f"{last.version[:12]} rules, others lie on disk", "gov plan says what differs"
        )
