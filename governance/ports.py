"""Protocols that plug-ins and the outside world implement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from governance.core.effect import Effect, Receipt
from governance.core.incident import Incident
from governance.core.metric import Answer, Query, Sample
from governance.core.performance import Outcome, Request


class Clock(Protocol):
    """Where the time comes from; nothing else in the engine reads a clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class MetricSource(Protocol):
    """A system that answers metric queries for the past and the present."""

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`; nothing known only later may enter. A failure is an Answer with `failure`."""
        ...


@runtime_checkable
class PastSource(Protocol):
    """A metric source that can answer for instants that have passed, so that missed cycles can be caught up."""

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer every query as of start, start + step, … up to `end`: one Answer with the samples of all instants.

        Each sample has the time it speaks for: the instant less the query's offset. Nothing known only later enters.
        """
        ...


class PushedReader(Protocol):
    """What was posted to us, for the sources that answer from it."""

    def pushed(
        self, source: str, model: str, metric: str, *, start: datetime, end: datetime, known_by: datetime
    ) -> Sequence[Sample]:
        """Return the samples with start < time ≤ end that had arrived by `known_by`, in the order of their times."""
        ...


@runtime_checkable
class ReadsPushed(Protocol):
    """A metric source that answers from what was posted to us; the composition root gives it its reader."""

    def read_from(self, name: str, reader: PushedReader) -> None:
        """Take the reader, and the name under which samples are posted to this source."""
        ...


class Action(Protocol):
    """A way to act on the world; the same effect key must act once, however often it is asked."""

    def perform(self, effect: Effect) -> Receipt:
        """Carry out an effect and say what the other side answered; a failure is a Receipt that was not delivered."""
        ...


@runtime_checkable
class StatesIncidents(Protocol):
    """A notifier whose other side forgets: it states how incidents stand, at each change and again `every` so often."""

    @property
    def every(self) -> timedelta:
        """How often what is open is to be stated again."""
        ...

    def state(self, incidents: Sequence[Incident], at: datetime) -> Receipt:
        """State how incidents stand at an instant; it may be asked again and again."""
        ...


def tells_notices(action: Action) -> bool:
    """Tell whether a notifier tells what is about no incident: those of which INCIDENTS_ONLY is true do not."""
    return not getattr(action, "INCIDENTS_ONLY", False)


def hears_acknowledgements(action: Action) -> bool:
    """Tell whether a notifier is told when somebody takes an incident: it says so by HEARS."""
    return "acknowledged" in getattr(action, "HEARS", ())


def delivers_itself(action: Action) -> bool:
    """Tell whether a notifier has a worker of its own that takes its effects: it says so by DELIVERS_ITSELF."""
    return bool(getattr(action, "DELIVERS_ITSELF", False))


Reach = Literal["place", "people"]


def reaches(action: Action) -> frozenset[Reach]:
    """Return whom a notifier reaches: whoever is at its place, such as a channel, or the people of an effect's `to`.

    It says so by its attribute REACHES; one that says nothing reaches a place.
    """
    said: frozenset[Reach] = getattr(action, "REACHES", frozenset({"place"}))
    return said


Folds = Literal["all", "channel", "never"]


def folds(action: Action) -> Folds:
    """Return which messages of a notifier may be one where many incidents change at once: it says so by FOLDS.

    Unless it says otherwise all of them; those about models whose cards name one channel; or none, as a machine listens
    that has to hear of each incident.
    """
    said: Folds = getattr(action, "FOLDS", "all")
    return said


class System(Protocol):
    """A system that steps of runbooks act on, named in `acts` of org.yaml: `act: <name>.<operation>`.

    `OPERATIONS` has the document of the parameters of each operation; `OUTPUTS` which values it gives later steps, with
    their CEL types. Those in `REPEATS` are simply asked again, under the same key, where their answer was lost.
    """

    OPERATIONS: ClassVar[dict[str, type[BaseModel]]]
    OUTPUTS: ClassVar[dict[str, dict[str, str]]]

    @property
    def REPEATS(self) -> frozenset[str]:  # noqa: N802 (an attribute of most systems, but one may have to be told)
        """Return the operations of which the other side drops repeats by the key."""
        ...

    def perform(self, request: Request) -> Outcome:
        """Act; the same key takes effect once where the other side knows keys. What went wrong is an Outcome."""
        ...

    def dry_run(self, request: Request) -> Outcome:
        """Find out whether the act could be done, and change nothing: it exists, it answers, we may."""
        ...


@runtime_checkable
class UsesNotifiers(Protocol):
    """A system that acts by a notifier's settings; the composition root tells it which notifiers there are."""

    def using(self, notifiers: Mapping[str, Action]) -> System:
        """Return the system as it acts by these; itself where nothing changes for it."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A system that can tell what became of an act whose answer was lost."""

    def read_back(self, request: Request) -> Outcome | None:
        """Return what became of it: done, or failed for what never took effect; None where that cannot be told."""
        ...
