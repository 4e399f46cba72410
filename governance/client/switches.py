"""Kill switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import Connection, path_of
from governance.views import Page, SwitchDoneView, SwitchView


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
