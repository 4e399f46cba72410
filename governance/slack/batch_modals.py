"""The modals of a pull of several kill switches: what it would do to each, what to type, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from governance.slack.blocks import TEXT, Json, escaped, section
from governance.slack.modals import because, modal, text_input, told
from governance.slack.switch_modals import CONFIRM, confirmed
from governance.views import ConfirmationsView
from governance.views.batches import BatchForeseenView, BatchView, ForeseenView

PULL = "switch.pull_together"
_TITLE = "Kill switches"
_NAMED, _LISTED = 10, 8
"""The most models that a sentence names, and the most sections that a list takes."""
_GROUPS = (("pull", "Pulled"), ("refused", "You may not pull"), ("unchanged", "Stays as it is"))


def preview(found: BatchForeseenView, meta: Mapping[str, Any], *, preset: str) -> Json:
    """Return the modal: how many and which, what else is hit, why, and what to type."""
    blocks = [section(each) for each in (*_facts(found), *_lists(found.items))]
    many = "1 model" if found.pull == 1 else f"{found.pull} models"
    hint = f"What is set, and for how many: {many}. Each is given back by itself."
    field = text_input(CONFIRM, f"Type {found.confirm} to confirm", hint=hint, lines=False, longest=200)
    meta = {**meta, "digest": found.digest, "confirm": found.confirm}
    return modal(_TITLE, [*blocks, because(preset), field], submit="Pull", callback=PULL, meta=meta)


def pulling(meta: Mapping[str, Any]) -> Json:
    """Return what is shown while it is done."""
    return told(_TITLE, f"pulling: *{escaped(str(meta.get('confirm', '')), 200)}*…")


def outcome(done: BatchView, heard: ConfirmationsView, *, final: bool) -> Json:
    """Return what became of it, and how many serving instances hold it by now."""
    others = [
        f"*{escaped(each.model, 200)}*: {escaped(each.said, 300)}" for each in done.items if _is_worth(each.outcome)
    ]
    back = f"To give them back: `gov switch restore --batch {escaped(done.batch)}`"
    head = f"*{escaped(done.said, 1000)}* · entry {done.entry} of the decision log"
    return told(_TITLE, head, *_packed(others), confirmed(heard, final=final), back)


def _is_worth(outcome: str) -> bool:
    return outcome in ("refused", "left")


def _facts(found: BatchForeseenView) -> Iterator[str]:
    others = [
        f"{count} {word}" for count, word in ((found.unchanged, "unchanged"), (found.refused, "refused")) if count
    ]
    rest = f" ({', '.join(others)})" if others else ""
    traffic = f"{found.traffic:,.0f} predictions a minute" if found.traffic is not None else "traffic unknown"
    known = f", {found.untold} do not tell theirs" if found.traffic is not None and found.untold else ""
    where = escaped(found.environment, 100)
    yield (
        f"*{escaped(found.which, 500)}* in {where}: *{found.pull} to {escaped(found.mode)}*{rest} · {traffic}{known}"
    )
    if found.dependants:
        yield f"*Also hit, as they rest on them:* {_named(found.dependants)}"
    if found.warnings:
        yield "\n".join(f"⚠ {escaped(each, 300)}" for each in found.warnings[:_NAMED])
    because = {each.because: None for each in found.items if each.does == "pull"}
    yield f"*You may, because* {_named(list(because), '; ')} · {escaped(found.limit, 300)}"


def _lists(items: Sequence[ForeseenView]) -> Iterator[str]:
    """Yield which models it is about, those that are pulled first."""
    for does, title in _GROUPS:
        lines = [_line(each) for each in items if each.does == does]
        if lines:
            yield from _packed([f"*{title}: {len(lines)}*", *lines])


def _line(item: ForeseenView) -> str:
    name = f"• {escaped(item.model, 200)} (tier {item.tier})"
    if item.does == "refused":
        return f"{name}: who may: {', '.join(escaped(each, 100) for each in item.who_may[:_NAMED]) or 'nobody'}"
    beside = f"; {escaped(item.warnings[0], 200)}" if item.warnings else ""
    return f"{name}: {escaped(item.said, 200)}{beside}"


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in as few texts as hold them; what finds no room in so many is counted."""
    texts, left = [""], 0
    for line in lines:
        if len(texts[-1]) + len(line) + 1 <= TEXT - 100:
            texts[-1] = f"{texts[-1]}\n{line}" if texts[-1] else line
        elif len(texts) < _LISTED:
            texts.append(line)
        else:
            left += 1
    if left:
        texts[-1] += f"\n… and {left} more"
    yield from (each for each in texts if each)


def _named(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{between.join(escaped(each, 200) for each in names[:_NAMED])}{more}"
