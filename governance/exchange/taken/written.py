"""Write what was taken over as a card, with everything that was not as comments above it."""

from __future__ import annotations

from collections.abc import Mapping

from governance.exchange.taken.foreign import Taken, texts
from governance.loader.writing import block, flow, scalar


def card_text(taken: Taken, owners: Mapping[str, str], model: str, command: str) -> str:
    """Return the YAML of the card."""
    said = {name: value for name, value in taken.card.items() if name not in ("model", "description") and value}
    values: dict[str, object] = {"kind": "card", "model": model}
    if taken.card.get("description"):
        values["description"] = taken.card["description"]
    values |= {"owners": dict(owners), **said}
    lines = [
        "# yaml-language-server: $schema=../.schema/card.json",
        f"# Taken over by {command} from {texts(taken.origin)}; check it, and what could not be taken over:",
        *(f"#   {each}" for each in notes(taken) or ["nothing was left out"]),
        *block(values),
    ]
    return "\n".join(lines) + "\n"


def notes(taken: Taken) -> list[str]:
    """Return what could not be taken over, each with its position."""
    return [f"{texts(taken.origin)}:{each.line}: {each.text}" if each.line else each.text for each in taken.notes]


def sources_text(taken: Taken) -> str:
    """Return the sources that the card needs, as lines of org.yaml."""
    return "\n".join(f"  {scalar(name)}: {flow(settings)}" for name, settings in taken.sources.items())
