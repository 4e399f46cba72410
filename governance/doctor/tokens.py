"""Which tokens end soon?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from governance.doctor.finding import Finding, open_, well
from governance.doctor.installation import Installation
from governance.store import tokens

SOON = timedelta(days=14)


def check(here: Installation) -> Iterator[Finding]:
    """Say which tokens that hold now will not in two weeks."""
    if here.database is None:
        return
    with here.database.read() as connection:
        known = [token for token, _ in tokens.all_of(connection).values() if token.revoked_at is None]
    holding = [each for each in known if each.expires_at > here.at]
    ending = sorted((each for each in holding if each.expires_at - here.at <= SOON), key=lambda each: each.expires_at)
    for each in ending:
        said = f"{each.id} of {each.for_} ends {each.expires_at:%Y-%m-%d %H:%M}Z"
        yield open_(
            "tokens", "ends soon", said, f"gov token create --for {each.for_}, then give it to who uses this one"
        )
    if not ending:
        yield well("tokens", "tokens", f"{len(holding)} hold, none ends within 14 days")
