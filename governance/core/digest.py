"""Many incidents at once: one message for each place, that names the others, where there would be one for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from governance.core.document import SEVERITIES
from governance.core.effect import MOST_LINES, Effect, Message

BURST = 5
"""So many incidents are told one by one; of more, decided on in one cycle, there is one message."""
_WORDS = {
    "first": "opened",
    "reopened": "opened",
    "new_findings": "have more findings",
    "worsened": "are worse",
    "resolved": "were resolved",
    "escalated": "wait for an answer",
    "reminder": "wait for an answer",
}
Place = Callable[[Effect], Hashable | None]
"""Where a notification is read; None where each must come by itself, as a machine listens."""


def waiting(effects: Sequence[Effect]) -> list[Effect]:
    """Let what is due wait until all of its cycle is known, so that none is delivered before they are put together."""
    return [replace(each, state="waiting", next_at=None) if each.state == "due" else each for each in effects]


def digest(effects: Sequence[Effect], place: Place, at: datetime) -> list[Effect]:
    """Return what waited as it is told now: one by one, or of many for a place the gravest, which names the others."""
    heaps: dict[Hashable, list[Effect]] = defaultdict(list)
    for number, each in enumerate(effects):
        where = place(each)
        words = _WORDS.get(each.message.reason)
        single = where is None or words is None or not each.incident
        heaps[number if single else (where, words, each.to)].append(each)
    return [each for heap in heaps.values() for each in (_told(heap, at) if len(heap) > BURST else _due(heap, at))]


def _due(heap: Sequence[Effect], at: datetime) -> Iterator[Effect]:
    return (replace(each, state="due", next_at=at) for each in heap)


def _told(heap: Sequence[Effect], at: datetime) -> Iterator[Effect]:
    first, *others = sorted(heap, key=_gravest)
    yield replace(first, state="due", next_at=at, message=_summing(first.message, [each.message for each in others]))
    receipt = f"told in one message with INC-{first.incident} ({first.key})"
    yield from (replace(each, state="folded", next_at=None, receipt=receipt) for each in others)


def _summing(message: Message, others: Sequence[Message]) -> Message:
    count = f"{len(others)} more incidents {_WORDS[message.reason]} in this cycle"
    named = [f"INC-{each.incident} {each.model} {each.severity}: {each.title}" for each in others[:MOST_LINES]]
    rest = [f"and {len(others) - MOST_LINES} more"] if len(others) > MOST_LINES else []
    also = (f"{count}:", *named, *rest)
    proposals = tuple(dict.fromkeys(each for one in (message, *others) for each in one.proposals))
    return replace(
        message,
        title=f"{message.title} – and {count}",
        findings=(*message.findings, *also),
        proposals=_first(proposals, "more proposals, see the incidents"),
        also=also,
    )


def _first(lines: tuple[str, ...], more: str) -> tuple[str, ...]:
    rest = len(lines) - MOST_LINES
    return lines if rest <= 0 else (*lines[:MOST_LINES], f"{rest} {more}")


def _gravest(effect: Effect) -> tuple[int, int, str]:
    return (-SEVERITIES.index(effect.message.severity), effect.incident, effect.key)
