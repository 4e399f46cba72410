"""What each field of an organisation means, in the words that an editor shows beside it."""

from __future__ import annotations

from collections.abc import Mapping

ORGANISATIONS: Mapping[str, Mapping[str, str]] = {
    "Organisation": {
        "environment": "What this engine governs, such as production.",
        "people": "Who there is, by the id that the decision log records.",
        "teams": "Teams of these people.",
        "roles": "Who may do what.",
        "identity": "How people prove who they are.",
        "automation": "How much rules may switch by themselves.",
        "schedules": "Who is on call, by name.",
        "escalations": "Who is told next while nobody answers, by name.",
        "notifiers": "How people are reached, by name.",
        "sources": "Where metrics come from, by name.",
        "acts": "The systems that steps of runbooks act on, by name.",
        "incidents": "How findings make incidents.",
        "cycle": "How often the engine looks.",
        "alive": "A dead-man's-switch outside, which is pinged after each full cycle.",
        "canary": "A finding that is made up now and then, to prove that one is told.",
    },
    "Alive": {
        "address": "What is asked.",
        "address_env": "The environment variable that holds the address.",
        "every": "How often at most.",
        "method": "How it is asked.",
        "loopback": "Whether its name may mean this machine.",
    },
    "Canary": {
        "notifiers": "Who is told; nobody else is.",
        "every": "How often.",
        "within": "How long that may take.",
    },
    "EscalationPolicy": {
        "levels": "Who is told, one level after the other, until somebody answers.",
        "repeat": "How often all levels are told once more.",
        "repeat_after": "How long the last level is given before; by default as long as the one before it.",
        "fallback": "Who is told after all of that, and at once where nobody is on call.",
        "acknowledge_timeout": "After how long an acknowledged incident comes back where nobody does anything.",
    },
    "Level": {
        "after": "How long the incident has waited for an answer by then; levels are in the order of these.",
        "to": "Who is told.",
        "severities": "Of incidents of which severity; only critical ones unless said.",
        "hands_over": "Another system escalates from here on.",
    },
    "Target": {
        "schedule": "Whoever is on call by this schedule.",
        "team": "The members of this team.",
        "person": "This person.",
        "notifier": "What this notifier reaches by itself.",
    },
    "Person": {
        "email": "Their address.",
        "slack": "Their id in Slack.",
        "subject": "The `sub` of their single sign-on.",
    },
    "Team": {"members": "Who belongs to it.", "leads": "Who leads it, of its members."},
    "Grant": {
        "role": "viewer, responder, approver or admin, each more than the one before.",
        "who": "People, teams or <team>-leads.",
        "models": "Only for models with these labels (or this name as `model`).",
    },
    "Automation": {
        "models": "The most models that rules may pull within the window …",
        "share": "… or this share of all, if it is more.",
        "window": "Within how long.",
    },
    "Grouping": {
        "group_by": "Which findings share an incident.",
        "reopen_within": "How long a resolved incident is opened again instead of a new one.",
    },
    "CycleTimes": {
        "every": "How often the engine looks.",
        "catch_up": "How far back it makes up for what it missed.",
    },
    "Identity": {"oidc": "Single sign-on by OpenID Connect."},
    "Oidc": {
        "issuer": "Whose tokens are taken.",
        "audience": "For whom they must be made.",
        "claim": "Which claim names the person.",
    },
    "Plugin": {"kind": "Which kind of source or notifier; the other fields are the kind's own."},
    "Schedule": {
        "zone": "The time zone of its hours.",
        "layers": "People who take turns; of the layers that have somebody the last one counts.",
        "ical": "A calendar, instead of layers: a file ending in .ics beside this one.",
        "overrides": "Somebody else for a while.",
    },
    "Layer": {
        "people": "Who takes turns, in this order.",
        "from": "The day on which the first turn begins.",
        "rotate": "How long a turn lasts: daily, weekly, or days such as 14d.",
        "handover": "When turns change, such as 09:00 or Mon 09:00.",
        "hours": "Only at these hours.",
        "days": "Only on these days of the week.",
    },
    "Substitution": {"person": "Who is on call instead.", "from": "From when on.", "until": "Until when."},
}
ORGANISATION_EXAMPLES: Mapping[str, Mapping[str, list[object]]] = {
    "Layer": {"handover": ["Mon 09:00"]},
}
