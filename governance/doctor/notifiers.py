"""Is every notifier's configuration complete, and is the host it tells reached?"""

from __future__ import annotations

from collections.abc import Iterator

from governance import plugins
from governance.core.organisation import Plugin
from governance.doctor import reach
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation, configured, unset


def check(here: Installation) -> Iterator[Finding]:
    """Say of each notifier whether it could tell anybody; nothing is sent."""
    known = here.organisation.notifiers
    if not known:
        yield wrong("notifiers", "notifiers", "none is configured, so nobody is told", "name them in org.yaml")
    for name, plugin in known.items():
        yield _of(here, name, plugin)
    if known and all(each.kind == "console" for each in known.values()):
        said = "the terminal of gov serve is the only place where anybody is told"
        yield open_("notifiers", "people", said, "add a notifier that reaches people who do not look at it")


def _of(here: Installation, name: str, plugin: Plugin) -> Finding:
    wrongs = plugins.wrongs(plugins.ACTIONS, plugin)
    if wrongs:
        return wrong("notifiers", name, wrongs[0].message, wrongs[0].suggestion or "gov check says where")
    if plugin.kind == "slack":  # which of its variables are needed, and whether they hold, is a check of its own
        return well("notifiers", name, "slack: looked at below")
    lacking = unset(plugins.ACTIONS, plugin)
    if lacking:
        said = f"{', '.join(lacking)} is not set here"
        return wrong("notifiers", name, said, "set it where gov serve runs, and in the shell of gov doctor")
    plugins.built(plugins.ACTIONS, name, plugin, directory=here.base)
    written = configured(plugins.ACTIONS, plugin)
    return reach.tried("notifiers", name, plugin.kind, written)
