"""Draft the card of a model, and the organisation around it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance.draft import features as inputs
from governance.draft.rhythm import rhythm, truth
from governance.draft.roles import roles, times
from governance.draft.sample import Column, Sample
from governance.errors import InvalidDocument
from governance.loader.writing import WIDTH, flow, scalar

LINES = 20
"""A first card is read at a glance."""
_HOUR = timedelta(hours=1)
_SURE = 0.99
_UNCOMPARED = "    # add reference: TABLE, the rows of its training, and drift is judged"


@dataclass(frozen=True, slots=True)
class Answers:
    """What only a person can say."""

    model: str
    team: str
    person: str
    email: str = ""
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a card; `notes` say what was left out of it and why, `at` is an instant for which there are data."""

    card: str
    notes: tuple[str, ...] = ()
    at: datetime | None = None


def plain_card(answers: Answers, source: str) -> Draft:
    """Draft a card without data, for a service that is yet to write its log."""
    log = {"source": source, "table": answers.model}
    columns = {"time": "scored_at", "request": "request_id", "version": "version", "score": "score"}
    lines = [
        *_head(answers, "Drafted by gov init without a sample of predictions: the log below is a proposal."),
        f"log: {flow(log)[:-1]},",
        f"  columns: {flow(columns)}}}    # more roles: decision, label, label_time, latency, cost, error",
        "# data: {features: {income: {type: number, range: [0, 1000000], pii: sensitive}}}    # what the model sees",
    ]
    note = f"nothing is judged before there are predictions, as data/{answers.model}/*.parquet"
    return Draft("\n".join(lines) + "\n", (note,))


def card_of(sample: Sample, answers: Answers, source: str, table: str, now: datetime) -> Draft:
    """Draft a card from a sample.

    :raises InvalidDocument: when it is not clear when each prediction was made
    """
    columns = sample.columns()
    mapped = roles(columns, answers.columns)
    if "time" not in mapped:
        raise NoTime(str(sample.path), times(columns), [each.name for each in columns if _since_1970(each)])
    time = mapped["time"]
    count, example = sample.unreadable(time)
    if count:
        raise InvalidDocument(f"{sample.path}: {count:,} values of the time '{time}' are no times, such as {example!r}")
    by_name = {each.name: each for each in columns}
    if "label" in mapped and "label_time" not in mapped:
        mapped |= _label_time(columns, mapped, sample)
    notes: list[str] = []
    for role in ("label_time", "label"):
        why = _unfit(role, mapped, by_name, sample)
        if why:
            notes.append(f"{mapped.pop(role)} is not mapped as {role}: {why}")
    notes += _unmapped(mapped, columns, sample)
    said, left = _features(columns, mapped)
    if left:
        notes.append(f"no feature was made of {_listed(left)}: no distribution can be told of such values")
    newest = sample.span(time)
    if newest is None:
        raise InvalidDocument(f"{sample.path}: the time '{time}' is missing in every row")
    lines = [
        *_head(answers, f"Drafted by gov init from {sample.path.name}: {sample.rows:,} rows, "
                        f"{newest[0]:%Y-%m-%d} to {newest[1]:%Y-%m-%d}. All below is guessed: check it."),
        *_rhythm(sample, time),
        *_versions(sample, mapped),
        *_log(mapped, by_name, source, table),
        *_truth(sample, mapped),
        *_slices(columns, said, mapped),
    ]  # fmt: skip
    lines += _data(said, LINES - len(lines))
    at = newest[1].replace(minute=0, second=0, microsecond=0)
    at = at if at == newest[1] else at + _HOUR
    if at > now + _HOUR:
        notes.append(f"the newest row is of {newest[1]:%Y-%m-%d %H:%M}Z, which is yet to come: is '{time}' in UTC?")
    return Draft("\n".join(lines) + "\n", tuple(notes), at)


def organisation(answers: Answers, source: str, path: str) -> str:
    """Return the text of org.yaml: the person who asks, their team, and where the logs lie."""
    person = {"email": answers.email} if answers.email else {}
    lines = [
        "# yaml-language-server: $schema=../.schema/org.json",
        "kind: org",
        "environment: production",
        f"people: {flow({answers.person: person})}",
        f"teams: {flow({answers.team: {'members': [answers.person], 'leads': [answers.person]}})}",
        "notifiers: {console: {kind: console}}     # prints; Slack or a webhook where people look",
        "sources:",  # one on a line, as others are told to be added below
        f"  {scalar(source)}: {flow({'kind': 'parquet', 'path': path})}",
    ]
    return "\n".join(lines) + "\n"


class NoTime(InvalidDocument):
    """It cannot be told when the predictions were made."""

    def __init__(self, path: str, candidates: Sequence[str], numbers: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        found = "no column holds times; log when each prediction was made, such as 2026-01-05T10:00:00Z"
        if candidates:
            found = f"it may be one of {_listed(candidates)}: say --time COLUMN"
        elif numbers:
            found = f"{_listed(numbers)} may count seconds since 1970: log timestamps, such as 2026-01-05T10:00:00Z"
        super().__init__(f"{path}: it cannot be told which column is the time of the prediction; {found}")


def model_name(text: str) -> str:
    """Return a text as the name of a model: lower case, without spaces; "" of nothing."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return f"{name}-model" if name == "engine" else name


def _head(answers: Answers, about: str) -> list[str]:
    owners = flow({"team": answers.team, **({"accountable": answers.person} if answers.person else {})})
    described = [f"description: {scalar(answers.description)}"] if answers.description else []
    return [
        "# yaml-language-server: $schema=../.schema/card.json",
        f"# {' '.join(about.split())}",
        "kind: card",
        f"model: {scalar(answers.model)}",
        *described,
        f"owners: {owners}",
    ]


def _rhythm(sample: Sample, time: str) -> list[str]:
    found = rhythm(sample.hours(time))
    cadence: dict[str, object] = {"every": found.every, **({"hours": found.hours} if found.hours else {})}
    return [f"cadence: {flow(cadence)}    # when predictions are due; guessed: {found.why}"]


def _versions(sample: Sample, mapped: Mapping[str, str]) -> list[str]:
    newest = sample.newest(mapped["version"], mapped["time"]) if "version" in mapped else None
    return [f"versions: {{serving: {_text(newest)}}}    # that of the newest row"] if newest else []


def _text(version: str) -> str:
    """Return a version for a flow map: always a text, also where it looks like a number."""
    return scalar(version)


def _log(mapped: Mapping[str, str], columns: Mapping[str, Column], source: str, table: str) -> list[str]:
    predicts = {}
    if "score" in mapped and not _probability(mapped, columns):
        predicts = {"predicts": "number"}
    head = flow({"source": source, "table": table, **predicts})[1:-1]
    rows = _packed([f"{role}: {scalar(name)}" for role, name in mapped.items()], 2)
    rows[-1] += "}}"
    return [f"log: {{{head},{_UNCOMPARED}", f"  columns: {{{rows[0]}", *(f"    {each}" for each in rows[1:])]


def _since_1970(column: Column) -> bool:
    """Tell whether whole numbers may be instants of this century in seconds, milli-, micro- or nanoseconds."""
    return column.whole and column.low is not None and any(9e8 * k <= column.low <= 4e9 * k for k in (1, 1e3, 1e6, 1e9))


def _probability(mapped: Mapping[str, str], columns: Mapping[str, Column]) -> bool:
    score, label = columns[mapped["score"]], columns.get(mapped.get("label", ""))
    classes = label is None or label.kind == "boolean" or label.binary
    return classes and score.low is not None and score.high is not None and score.low >= 0 and score.high <= 1


def _truth(sample: Sample, mapped: Mapping[str, str]) -> list[str]:
    if "label" not in mapped:
        return []
    time, label = mapped["time"], mapped["label"]
    if "label_time" in mapped:
        found = sample.delays(time, label, mapped["label_time"])
        why = "after this long 90 % of the labels had come, and 99.9 %"
    else:
        last, span = sample.labelled_until(time, label), sample.span(time)
        gap = span[1] - last if last is not None and span is not None else timedelta(0)
        found, why = (gap, gap), "the newest label is this much older than the newest row"
        if not gap:
            why = "guessed: the labels were there at once"
    delay, complete = truth(*(found or (_HOUR, _HOUR)))
    return [f"truth: {flow({'delay': delay, 'complete_after': complete})}    # {why}"]


def _label_time(columns: Sequence[Column], mapped: Mapping[str, str], sample: Sample) -> dict[str, str]:
    """Return the column of times that come with the labels, and never before the prediction."""
    label = next(each for each in columns if each.name == mapped["label"])
    if label.present == label.rows:
        return {}
    for name in times(columns):
        if name not in mapped.values() and sample.together(mapped["label"], name, mapped["time"]) > _SURE:
            return {"label_time": name}
    return {}


def _unfit(role: str, mapped: Mapping[str, str], columns: Mapping[str, Column], sample: Sample) -> str:
    """Return why a column that looked like a role would mislead, "" where it is good."""
    if role not in mapped:
        return ""
    if not columns[mapped[role]].present:
        return "it is empty"
    if role == "label_time" and "label" not in mapped:
        return "there is no label"
    if role == "label_time" and sample.unreadable(mapped[role])[0]:
        return "some of its values are no times"
    return ""


def _unmapped(mapped: Mapping[str, str], columns: Sequence[Column], sample: Sample) -> list[str]:
    """Say what a reader may miss: no labels, one class, latencies in another unit."""
    notes = []
    if "label" not in mapped:
        notes.append("no labels were found, so that nothing is said of quality; --column label=COLUMN names them")
    elif sample.classes(mapped["label"]) == 1:
        notes.append(f"{mapped['label']} has one value only: a ranking (AUC) cannot be judged until there is another")
    if "score" not in mapped:
        notes.append("no score was found; --column score=COLUMN names it")
    milliseconds = [
        each.name for each in columns if re.search(r"(?i)(latency|elapsed|duration).*(ms|milli)", each.name)
    ]
    if milliseconds and "latency" not in mapped:
        notes.append(f"{milliseconds[0]} is not mapped as latency: latencies are in seconds")
    return notes


def _features(columns: Sequence[Column], mapped: Mapping[str, str]) -> tuple[dict[str, dict[str, object]], list[str]]:
    said: dict[str, dict[str, object]] = {}
    left: list[str] = []
    for each in columns:
        if each.name in mapped.values():
            continue
        found = inputs.feature(each) if each.present else None
        if found is None:
            left.append(each.name)
        else:
            said[each.name] = found
    return said, left


def _slices(columns: Sequence[Column], said: Mapping[str, dict[str, object]], mapped: Mapping[str, str]) -> list[str]:
    found = inputs.slices(columns, dict(said)) if "label" in mapped else []
    return [f"slices: {flow(found)}    # quality is judged for each of their values too"] if found else []


def _data(said: Mapping[str, dict[str, object]], room: int) -> list[str]:
    """Return the features, one on a line where there is room, else as many on each line as it takes."""
    if not said:
        return []
    entries = [f"{scalar(name)}: {flow(each)}" for name, each in said.items()]
    if len(entries) + 2 <= room:
        return ["data:", "  features:", *(f"    {each}" for each in entries)]
    rows = _packed(entries, room - 2)
    return ["data:", f"  features: {{{rows[0]}", *(f"    {each}" for each in rows[1:-1]), *_last(rows)]


def _last(rows: Sequence[str]) -> list[str]:
    return [f"    {rows[-1]}}}"] if len(rows) > 1 else ["  }"]


def _packed(entries: Sequence[str], room: int) -> list[str]:
    """Return the entries in at most `room` lines, of the usual width where that is enough."""
    width = WIDTH - 20
    while True:
        rows: list[str] = []
        for at, each in enumerate(entries):
            piece = each + ("," if at + 1 < len(entries) else "")
            if rows and len(rows[-1]) + 1 + len(piece) <= width:
                rows[-1] += " " + piece
            else:
                rows.append(piece)
        if len(rows) <= room:
            return rows
        width += width // 4


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{each}'" for each in names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
