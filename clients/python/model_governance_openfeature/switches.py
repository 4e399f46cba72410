"""The kill switches of an engine, for a process that asks without OpenFeature; the provider asks here as well."""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from model_governance_openfeature.answer import Flag
from model_governance_openfeature.daemon import now
from model_governance_openfeature.keeper import Keeper, Listener, View
from model_governance_openfeature.options import OnUnknown, Options
from model_governance_openfeature.switch import MODES, NO_LABELS, Decision, Mode, decide

if TYPE_CHECKING:
    from typing_extensions import Self  # in `typing` from Python 3.11 on


class Switches:
    """Answers from memory whether a model may answer; a background thread keeps in touch with the engine.

    With nothing known of a model, `on_unknown` answers. Threads may share one; a child of the process goes on with it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        models: Iterable[str] = (),
        snapshot: str | Path | None = None,
        overrides: str | Path | None = None,
        on_unknown: OnUnknown = "live",
        instance: str = "",
        wait: float = 1.0,
        poll: float = 10.0,
        stale_after: float = 15.0,
        silence: float = 10.0,
        timeout: float = 2.0,
        confirm: float = 20.0,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], float] = now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Start, and wait at most `wait` seconds for the first answer; what cannot be had by then comes later.

        `url`, `token` and the key of override files are taken from GOV_URL, GOV_TOKEN and GOV_OVERRIDE_KEY. Only the
        `models` named are asked for, all when none is. README.md says what the others do; durations are in seconds.

        :raises ValueError: when a setting makes no sense.
        """
        environment = os.environ
        options = Options(
            url=(environment.get("GOV_URL", "") if url is None else url).rstrip("/"),
            token=environment.get("GOV_TOKEN", "") if token is None else token,
            models=frozenset(models),
            snapshot=None if snapshot is None else Path(snapshot),
            overrides=None if overrides is None else Path(overrides),
            override_key=environment.get("GOV_OVERRIDE_KEY", "").encode(),
            on_unknown=on_unknown,
            instance=instance,
            wait=wait,
            poll=poll,
            stale_after=stale_after,
            silence=silence,
            timeout=timeout,
            confirm=confirm,
            trust=trust,
            clock=clock,
            chance=chance,
        )
        self._keeper = Keeper(options)

    def serve(self, model: str, key: str = "", version: str = "", labels: Mapping[str, str] = NO_LABELS) -> bool:
        """Tell whether a model's output may answer a request; `key` is what a throttle chooses by."""
        return self.decide(model, key, version, labels).serve

    def mode(self, model: str, version: str = "", labels: Mapping[str, str] = NO_LABELS) -> Mode:
        """Return the mode that holds for a request."""
        return self.decide(model, "", version, labels).mode

    def decide(self, model: str, key: str = "", version: str = "", labels: Mapping[str, str] = NO_LABELS) -> Decision:
        """Return whether a model's output may answer a request, and why."""
        return self.find(model, key, version, labels) or self._unknown()

    def find(
        self, model: str, key: str = "", version: str = "", labels: Mapping[str, str] = NO_LABELS
    ) -> Decision | None:
        """Return it of a model that the engine may know; None when it says that it knows none of that name."""
        keeper = self._keeper
        view = keeper.view
        switch = view.switch(model)
        decision = decide(switch, key, version, labels) if switch is not None else None
        if decision is None or (decision.serve and switch is not None and switch.assumed):
            decision = _told(view, model) or (None if view.held is not None else self._unknown())
        if decision is None:
            return None
        if model not in keeper.read:
            keeper.note_read(model)
        return decision._replace(reason="STALE") if keeper.stale and decision.known else decision

    def flag(self, key: str) -> Flag | None:
        """Return any other flag as the engine last answered it."""
        return self._keeper.view.flag(key)

    @property
    def known(self) -> bool:
        """Whether there is a state at all, of the engine or of the snapshot."""
        return self._keeper.view.held is not None

    @property
    def stale(self) -> bool:
        """Whether the engine has been silent for longer than `stale_after`."""
        return self._keeper.stale

    @property
    def seq(self) -> int:
        """The number of the change that is held; 0 when nothing is."""
        held = self._keeper.view.held
        return held.seq if held is not None else 0

    @property
    def instance(self) -> str:
        """The name by which the engine lists this process."""
        return self._keeper.instance

    def listen(self, listener: Listener) -> None:
        """Call back in the background with ("changed", flags), ("stale", []) and ("fresh", [])."""
        self._keeper.listen(listener)

    def start(self) -> None:
        """Start again after `close`."""
        self._keeper.start()

    def close(self) -> None:
        """End what goes on in the background; what is held stays readable, and becomes stale."""
        self._keeper.stop()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _unknown(self) -> Decision:
        live = self._keeper.options.on_unknown == "live"
        mode: Mode = "live" if live else "fallback"
        return Decision(serve=live, mode=mode, reason="DEFAULT", because="nothing is known of this model", known=False)


def _told(view: View, model: str) -> Decision | None:
    """Return the engine's own answer for a request that says nothing, for a switch that cannot be decided upon here."""
    serve, said = view.flag(f"{model}.serve"), view.flag(f"{model}.mode")
    if serve is None:
        return None
    value = bool(serve["value"])
    mode: Mode = "live" if value else "fallback"
    named = next((each for each in MODES if said is not None and each == said["value"]), mode)
    return Decision(serve=value, mode=named, reason="STATIC")
