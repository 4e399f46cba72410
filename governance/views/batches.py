"""An act on several kill switches, as it is shown before and after."""

from __future__ import annotations

from datetime import datetime

from governance.views.switches import ConfirmationsView, FallbackView
from governance.views.view import View


class ForeseenView(View):
    """What a pull of several would do to one model: `does` is pull, unchanged or refused, `said` how, or why not.

    `now` is what holds of all its settings, `covers` are those for parts of it, which go on beside what is pulled.
    `dependants` are models that read its score and are not among those of the act. `traffic` is in predictions a
    minute, None when unknown. `people` is how many a restore takes. `because` says why who asks may pull it; `who_may`
    is only of what is refused.
    """

    model: str
    tier: int
    team: str
    does: str
    now: str
    said: str
    covers: list[str] = []
    fallback: FallbackView | None = None
    dependants: list[str] = []
    traffic: float | None = None
    people: int = 1
    because: str = ""
    who_may: list[str] = []
    warnings: list[str] = []


class BatchForeseenView(View):
    """What a pull of several would do: `confirm` is what is typed, `digest` says with the act what was shown.

    `pull`, `unchanged` and `refused` count models. `traffic` is of those that would be pulled, as far as it is known:
    `untold` of them do not tell theirs. `dependants` are others that rest on them, also through others.
    """

    environment: str
    which: str
    mode: str
    confirm: str
    digest: str
    pull: int
    unchanged: int
    refused: int
    traffic: float | None = None
    untold: int = 0
    dependants: list[str] = []
    warnings: list[str] = []
    limit: str = ""
    items: list[ForeseenView]


class BatchItemView(View):
    """What became of one model: pulled, unchanged, refused, or left where the act ended before it; `said` is how.

    `now` is what holds by now, `entry` and `seq` are of its pull. `held` tells whether what this act set still holds.
    """

    model: str
    tier: int
    outcome: str
    said: str
    now: str
    held: bool = False
    entry: int | None = None
    seq: int | None = None
    confirmations: ConfirmationsView


class BatchView(View):
    """A pull of several: the entry that names them all, and what became of each.

    `resumed` of them were pulled by the engine after a restart, or when it was asked for again, as it had been cut off.
    """

    batch: str
    entry: int
    by: str
    at: datetime
    because: str
    mode: str
    share: float
    incident: int | None = None
    pulled: int
    unchanged: int
    refused: int
    left: int = 0
    resumed: int = 0
    said: str
    items: list[BatchItemView]
