"""Is the configuration of every system that runbooks act on complete, and is its host reached?"""

from __future__ import annotations

from collections.abc import Iterator

from governance import plugins
from governance.core.organisation import Plugin
from governance.doctor import reach
from governance.doctor.finding import Finding, well, wrong
from governance.doctor.installation import Installation, configured, unset


def check(here: Installation) -> Iterator[Finding]:
    """Say of each system whether a step could act on it; nothing is asked of it."""
    known = here.organisation.acts
    if not known:
        yield well("acts", "acts", "none is named, so that runbooks act on the engine itself")
    for name, plugin in known.items():
        yield _of(name, plugin)


def _of(name: str, plugin: Plugin) -> Finding:
    wrongs = plugins.wrongs(plugins.ACTS, plugin)
    if wrongs:
        return wrong("acts", name, wrongs[0].message, wrongs[0].suggestion or "gov check says where")
    lacking = unset(plugins.ACTS, plugin)
    if lacking:
        said = f"{', '.join(lacking)} is not set here"
        return wrong("acts", name, said, "set it where gov serve runs, and in the shell of gov doctor")
    return reach.tried("acts", name, plugin.kind, configured(plugins.ACTS, plugin))
