"""Slack in: clicks, submitted modals, commands and the home tab, through a socket or over HTTP, by slack-bolt.

What comes is answered at once; the work is done by threads of our own, so that nothing that is slow delays an answer.
Source: https://docs.slack.dev/interactivity/handling-user-interaction and https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from time import time
from typing import Any

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import send_response
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.builtin.client import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from governance import settings
from governance.actions.slack import SlackConfig
from governance.core.problem import printable
from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.slack import acts, commands, handlers, home, linking, modals
from governance.slack.blocks import escaped
from governance.slack.desk import Desk, Follow
from governance.slack.once import ENVELOPE, is_first
from governance.slack.submits import SUBMITS, submitted
from governance.slack.switch_desk import values
from governance.slack.turn import Turn, metadata, origin_of
from governance.store.slack_links import Code, Link

Body = dict[str, Any]
WORKERS, ANSWERERS = 12, 8
_SECONDS = 10
_LONGEST_WAIT = 30.0
_PING = 2.0
"""Seconds between two pings; a lost connection is noticed after five that are not answered."""
EVENT = "app_home_opened"
CLICKS: tuple[str, ...] = (
    *(each.id for each in acts.ACTS if not each.menu),
    acts.MORE,
    *handlers.OWN,
    home.LINK,
)
"""The action ids that are handled."""
_BROKEN = 500
OLD = 300
"""Seconds after which a signed request is refused."""


class Inbound:
    """What one workspace sends us, and who answers it."""

    def __init__(
        self, engine: Engine, config: SlackConfig, follow: Follow | None = None,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Answer by the tokens that the settings name; nothing is connected yet. Trouble is told to `complain`."""
        self.config, self._complain = config, complain
        self.desk = Desk(engine, follow or Follow())
        self._token, self._app_token = settings.secret(config.bot_token_env), settings.secret(config.app_token_env)
        self._secret = settings.secret(config.signing_secret_env)
        self._logger = quiet()
        self.client = WebClient(
            self._token, config.address, timeout=_SECONDS, logger=self._logger, retry_handlers=[]
        )  # a lost answer must not post a second time
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="slack")
        self._answerers = ThreadPoolExecutor(ANSWERERS, thread_name_prefix="slack-ack")
        self._socket: SocketModeHandler | None = None
        self._connecting: threading.Thread | None = None
        self.app = self._app()

    def start(self) -> None:
        """Open the socket, in the background, however often that takes; over HTTP there is nothing to open."""
        if self.config.mode == "socket" and self._connecting is None:
            self._connecting = threading.Thread(target=self._connect, name="slack-socket", daemon=True)
            self._connecting.start()

    def stop(self) -> None:
        """Close the socket, and let what is under way come to its end."""
        self.desk.ending.set()
        if self._connecting is not None:
            self._connecting.join(_SECONDS)
        if self._socket is not None:
            with suppress(Exception):  # a socket that is broken already is closed
                self._socket.client.close()
        for each in (self._answerers, self._workers):
            each.shutdown(wait=True, cancel_futures=True)

    @property
    def connected(self) -> bool:
        """True while what people do arrives here; over HTTP that cannot be told."""
        client = self._socket.client if self._socket is not None else None
        return self.config.mode == "http" or (isinstance(client, SocketModeClient) and client.is_connected())

    def forged(self, raw: str, headers: Mapping[str, str], now: datetime) -> str:
        """Return why a request over HTTP is not from Slack, "" when it is."""
        given = {name.lower(): value for name, value in headers.items()}
        stamp, signature = given.get("x-slack-request-timestamp", ""), given.get("x-slack-signature", "")
        if not self._secret:
            return f"no signing secret ({self.config.signing_secret_env})"
        if not stamp or not signature:
            return "no slack signature"
        if not stamp.isdecimal() or len(stamp) > 12 or abs(now.timestamp() - int(stamp)) > OLD:
            return "old slack signature"
        verifier = SignatureVerifier(self._secret, _Still(now))
        return "" if verifier.is_valid(raw, stamp, signature) else "wrong slack signature"

    def handle(
        self, raw: str | Body, headers: Mapping[str, str | Sequence[str]] | None = None, *, envelope: str = ""
    ) -> BoltResponse:
        """Answer what came over HTTP, which bolt checks the signature of, or with `envelope` through the socket."""
        mode = "socket_mode" if envelope else "http"
        given = {**(headers or {}), **({ENVELOPE: envelope} if envelope else {})}
        try:
            answer = self.app.dispatch(BoltRequest(body=raw, headers=given, mode=mode))
            return answer if answer.status < _BROKEN else BoltResponse(status=400, body="")  # it was complained about
        except Exception as error:  # noqa: BLE001 (bolt reads what strangers send, and takes its shape for granted)
            self._complain(f"Slack sent what cannot be read: {type(error).__name__}")
            return BoltResponse(status=400, body="")

    def linked(self, link: Link, code: Code) -> None:
        """Carry out what an account wanted to do before it was linked."""
        self._work(lambda: self._carry_out(link, code))

    def _app(self) -> App:
        app = App(
            logger=self._logger,
            name="governance",
            signing_secret=self._secret or "none",
            client=WebClient(None, self.config.address, timeout=_SECONDS, logger=self._logger),
            authorize=_authorized(self._token),
            listener_executor=self._answerers,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.middleware(self._once)
        for action in CLICKS:
            app.action(action)(self._clicked)
        for callback in SUBMITS:
            app.view(callback)(self._submitted)
        app.command(commands.COMMAND)(self._commanded)
        app.event(EVENT)(self._looked)
        app.error(self._failed)
        return app

    def _once(self, req: BoltRequest, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 (bolt's name)
        """Pass on what is new; what was done is only acknowledged."""
        if req.body.get("type") == "url_verification":
            return next()
        if not _has_shape(req.body):
            return BoltResponse(status=400, body="")
        try:
            new = is_first(self.desk.engine, req.body, header_of(req, ENVELOPE), req.raw_body or "", self.desk.now)
        except Unavailable as error:
            return self._unable(req, str(error))
        return next() if new else BoltResponse(status=200, body="")

    def _unable(self, req: BoltRequest, why: str) -> BoltResponse:
        """Say that nothing can be done now."""
        text = f"Nothing was done: {escaped(why)}"
        if req.body.get("type") == "view_submission":
            view = modals.told("Not possible now", text)
            body = json.dumps({"response_action": "update", "view": view})
            return BoltResponse(status=200, body=body, headers={"content-type": "application/json"})
        with suppress(ValueError):
            turn = self._turn(req.body)
            self._work(lambda: turn.whisper(text))
        return BoltResponse(status=200, body="")

    # In all that follow nothing may be raised after ack(): the library would forget that it was given.

    def _clicked(self, ack: Ack, body: Body, action: Body) -> None:
        name = str(action.get("action_id", ""))
        chosen = action.get("selected_option")
        value = str((chosen if isinstance(chosen, dict) else action).get("value", ""))
        turn = self._turn(body)
        ack()
        if name == home.LINK:
            self._work(lambda: handlers.link(self.desk, turn))
        else:
            self._work(lambda: handlers.clicked(self.desk, turn, name, value))

    def _submitted(self, ack: Ack, body: Body, view: Body) -> None:
        callback = str(view.get("callback_id", ""))
        submit, meta, said = SUBMITS[callback], metadata(view.get("private_metadata")), values(view)
        turn, missing = self._turn(body), submit.missing(meta, said)
        if missing:
            ack(response_action="errors", errors=missing)
            return
        ack(response_action="update", view=submit.meanwhile(meta, said))
        self._work(lambda: submitted(self.desk, turn, callback, meta, said))

    def _commanded(self, ack: Ack, body: Body) -> None:
        turn, text = self._turn(body), str(body.get("text") or "")
        ack()
        self._work(lambda: commands.run(self.desk, turn, text))

    def _looked(self, body: Body) -> None:
        turn = self._turn(body)
        self._work(lambda: home.publish(self.desk, turn, self.desk.person(turn)))

    def _carry_out(self, link: Link, code: Code) -> None:
        origin, wanted = linking.waiting(code)
        turn = Turn(self.client, origin)
        turn.whisper(f"You are {escaped(link.person)} here from now on.")
        if isinstance(wanted, str):
            commands.run(self.desk, turn, wanted)
        elif wanted:
            handlers.clicked(self.desk, turn, wanted[0], wanted[1])

    def _turn(self, body: Body) -> Turn:
        return Turn(self.client, origin_of(body), body)

    def _work(self, work: Callable[[], object]) -> None:
        """Do something later; what goes wrong in it is said, and ends nothing else."""

        def safely() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 (one act must not end the others)
                self._failed(error)

        with suppress(RuntimeError):  # it is being stopped
            self._workers.submit(safely)

    def _failed(self, error: Exception) -> None:
        self._complain(f"Slack: {type(error).__name__}: {printable(str(error))[:300]}")

    def _connect(self) -> None:
        """Open the socket; the library opens it anew when it is lost, but not a first time."""
        wait = 1.0
        while not self.desk.ending.is_set():
            try:
                self._socket = self._socket or _Socket(self, self._app_token, self._logger)
                self._socket.client.connect()
            except Exception as error:  # noqa: BLE001 (whatever it is: Slack cannot be reached now)
                self._complain(f"the socket to Slack cannot be opened: {printable(str(error))[:300]}")
                self.desk.ending.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
            else:
                return


class _Socket(SocketModeHandler):
    """Passes on the envelope's id beside what is in it."""

    def __init__(self, inbound: Inbound, app_token: str, logger: logging.Logger) -> None:
        self._inbound = inbound
        web = WebClient(None, inbound.config.address, timeout=_SECONDS, logger=logger)
        super().__init__(inbound.app, app_token or "none", logger=logger, web_client=web, ping_interval=_PING)

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Answer one envelope."""
        start = time()
        body = req.payload if isinstance(req.payload, dict) else {}
        send_response(client, req, self._inbound.handle(body, envelope=req.envelope_id or "none"), start)


def _authorized(token: str) -> Callable[[], AuthorizeResult]:
    """Let our own token answer: there is one workspace, and nothing has to be asked before a click is answered."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token or "none")

    return authorize


class _Still(SlackClock):
    """The engine's time for the library that checks signatures."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        """Return it in seconds since 1970."""
        return self._now.timestamp()


def _has_shape(body: Body) -> bool:
    """Tell whether the parts are what Slack sends, which the library takes for granted."""
    parts = (body.get(each, {}) for each in ("user", "team", "view", "event", "container", "channel", "message"))
    actions = body.get("actions", [])
    return all(isinstance(each, dict) for each in parts) and (
        isinstance(actions, list) and all(isinstance(each, dict) for each in actions)
    )


def header_of(req: BoltRequest, name: str) -> str:
    """Return a header of a request, "" when it has none."""
    found = req.headers.get(name) or [""]
    return str(found[0])


def quiet() -> logging.Logger:
    """Return a logger that prints nothing: the library writes whole payloads into its warnings."""
    logger = logging.getLogger("governance.slack")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
    return logger
