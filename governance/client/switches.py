"""Kill switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import Connection, path_of
from governance.views import Page, SwitchDoneView, SwitchView
from governance.views.batches import BatchForeseenView, BatchView

MANY = 60.0
"""Seconds that the engine may take to see or to pull many; of a thousand it takes half a second."""


class Switches(Connection):
    """Asks how kill switches are, pulls and restores them."""

    def switch(self, model: str) -> SwitchView:
        """Return the kill switch of a model, with what one must know before pulling it."""
        return self._get(f"/v1/switches/{path_of(model)}", SwitchView)

    def switches(self) -> list[SwitchView]:
        """Return the kill switches of all models, those that are not live first."""
        return self._whole("/v1/switches", Page[SwitchView])

    def pull(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Pull a kill switch: {mode, because, share, scope, expires, incident, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{path_of(model)}/pull", body, key))

    def restore(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Restore a kill switch, or ask for the second person: {because, seq, scope, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{path_of(model)}/restore", body, key))

    def break_glass(self, model: str, body: Mapping[str, Any], *, key: str) -> SwitchDoneView:
        """Restore one scope alone and at once, which pages everybody and is reviewed: {because, scope, confirm}."""
        return SwitchDoneView.model_validate(self._post(f"/v1/switches/{path_of(model)}/break-glass", body, key))

    def foresee(self, body: Mapping[str, Any]) -> BatchForeseenView:
        """Return what a pull of several would do: {mode, share, expires} of {models}, {where} or {all}."""
        return BatchForeseenView.model_validate(self._post("/v1/switches/pull/preview", body, "", timeout=MANY))

    def pull_together(self, body: Mapping[str, Any], *, key: str) -> BatchView:
        """Pull several kill switches as they were shown: what `foresee` takes, with {because, digest, confirm}."""
        return BatchView.model_validate(self._post("/v1/switches/pull", body, key, timeout=MANY))

    def batch(self, batch: str) -> BatchView:
        """Return what became of a pull of several, and how many instances confirmed each."""
        return self._get(f"/v1/switches/batches/{path_of(batch)}", BatchView)
