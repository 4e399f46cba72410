"""Which Slack account is whose."""

from __future__ import annotations

from governance.client.connection import Connection, checked, path_of
from governance.views import Page
from governance.views.people import SlackLinkView


class SlackLinks(Connection):
    """Links Slack accounts with people."""

    def slack_code(self, code: str) -> SlackLinkView:
        """Return which Slack account a code was shown to."""
        return SlackLinkView.model_validate(self._post("/v1/slack/links", {"code": code, "confirm": False}, ""))

    def link_slack(self, code: str) -> SlackLinkView:
        """Link the Slack account that a code was shown to with whoever the token is of."""
        return SlackLinkView.model_validate(self._post("/v1/slack/links", {"code": code}, ""))

    def slack_links(self) -> list[SlackLinkView]:
        """Return the Slack accounts that people linked."""
        return self._get("/v1/slack/links", Page[SlackLinkView]).items

    def unlink_slack(self, user: str) -> SlackLinkView:
        """End the link of a Slack account."""
        with self._reached():
            answer = self._http.delete(f"/v1/slack/links/{path_of(user)}")
        return SlackLinkView.model_validate(checked(answer))
