"""Do Slack's tokens hold, with the scopes that are needed, and is the app in the channels where it tells?"""

from __future__ import annotations

from collections.abc import Iterator

from governance import plugins
from governance.core.organisation import Plugin
from governance.doctor.finding import Finding, well
from governance.doctor.installation import Installation

KIND = "slack"


def check(here: Installation) -> Iterator[Finding]:
    """Say of each Slack notifier whether it could tell, and hear what people answer; nothing is sent."""
    known = {name: each for name, each in here.organisation.notifiers.items() if each.kind == KIND}
    if not known:
        yield well(KIND, KIND, "no notifier is one of Slack's")
    for name, plugin in known.items():
        yield from _of(here, name, plugin)


def _of(here: Installation, name: str, plugin: Plugin) -> Iterator[Finding]:
    from governance.actions.slack import SlackConfig
    from governance.slack.diagnosis import checks  # its libraries are only loaded where there is a Slack

    if plugins.wrongs(plugins.ACTIONS, plugin):
        return  # told by the check of the notifiers
    channels = [each.policy.card.owners.channel for each in here.policies.plan.policies]
    config = SlackConfig.model_validate(plugin.settings())
    for each in checks(here.organisation, config, sorted({each for each in channels if each})):
        yield Finding(KIND, f"{name}: {each.name}", each.ok, each.seen, each.do)
