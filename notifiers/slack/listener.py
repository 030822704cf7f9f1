"""Presses of buttons, over Slack's Socket Mode: one connection from here to Slack and no open port.

Whoever is told of a press keeps it before it is acknowledged: one that was acknowledged is never
lost, one that was not Slack delivers again, or the person who pressed is told by Slack that it did
not work.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import select
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from notifiers.loopback import is_loopback
from notifiers.slack.errors import understand
from notifiers.slack.settings import API_URL
from notifiers.slack.web import silent_logger

if TYPE_CHECKING:
    from slack_sdk.socket_mode.builtin import SocketModeClient
    from slack_sdk.socket_mode.builtin.connection import Connection
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

_log = logging.getLogger(__name__)

DEAF_S = 60.0
"""A connection that gives no sign of life for as long is replaced. The client of slack_sdk misses
one that never answers a ping: it counts from the first answer (NousResearch/hermes-agent#52923)."""
PING_S = 5.0
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Between attempts to connect; the last one repeats. Slack gives out about one address a minute."""
_LOOK_S = 1.0
_CALL_TIMEOUT_S = 15
_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)  # macOS has no POLLRDHUP
_VALUE_CHARS = 2001
"""Slack takes 2,000 for a button: anything longer is none of ours and is not kept whole."""

_NO_ENTRY = {
    "invalid_auth",
    "not_authed",
    "not_allowed_token_type",
    "token_revoked",
    "token_expired",
    "account_inactive",
}


@dataclass(frozen=True)
class SlackPress:
    """What somebody pressed, as Slack tells it."""

    key: str
    """The same when Slack delivers it again, and of no other press."""
    user: str
    value: str
    channel: str
    ts: str
    """Of the message with the button."""
    thread_ts: str
    """Of the thread that the message stands in; empty for one that stands in the channel."""


class SlackListener:
    """Listens in threads of its own from `start` to `stop`.

    `on_press` is called in one of them, and again when Slack delivers a press again; if it raises,
    the press is not acknowledged. The token stands in no error, log line or repr.
    """

    def __init__(
        self,
        token: str,
        on_press: Callable[[SlackPress], None],
        *,
        api_url: str = API_URL,
        ping_s: float = PING_S,
        deaf_s: float = DEAF_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._on_press = on_press
        self._api_url = api_url
        self._ping_s = ping_s
        self._deaf_s = deaf_s
        self._back_off_s = back_off_s
        self._now_s = now_s
        self.refused = ""
        """Why Slack does not let this token listen; empty while it does."""
        self._failure = ""
        self._failures = 0
        self._try_at_s = now_s()
        self._sign: tuple[str, float | None] = ("", None)
        """Of the connection there is: its id, and the last ping that was answered."""
        self._connections = 0
        self._heard_s = now_s()
        self._warned = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slack listener", daemon=True)

    def __repr__(self) -> str:
        return "SlackListener(…)"

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End, and wait for that up to `timeout_s`: a read that is under way may take three."""
        self._stopping.set()
        self._thread.join(timeout_s)

    # --- in the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        client = self._client()
        try:
            while not self._stopping.is_set() and not self.refused:
                self._look(client)
                self._stopping.wait(min(_LOOK_S, self._ping_s))
        finally:
            client.close()

    def _client(self) -> SocketModeClient:
        from slack_sdk import WebClient
        from slack_sdk.socket_mode.builtin import SocketModeClient

        web = WebClient(
            base_url=self._api_url,
            timeout=_CALL_TIMEOUT_S,
            retry_handlers=[],
            logger=silent_logger(),
        )
        client = SocketModeClient(
            self._token,
            logger=silent_logger(),  # its lines hold addresses that are good for a connection
            web_client=web,
            auto_reconnect_enabled=False,  # it would ask every few seconds, without end
            ping_interval=self._ping_s,
            on_message_listeners=[lambda _: self._heard()],
            on_error_listeners=[self._broken],
        )
        if is_loopback(self._api_url):
            web.proxy = client.proxy = None
        client.message_listeners.append(self._message)
        client.socket_mode_request_listeners.append(self._request)
        return client

    def _look(self, client: SocketModeClient) -> None:
        """Connect if there is no connection, and replace one that has gone deaf."""
        now_s = self._now_s()
        session = client.current_session
        if session is not None and _has_hung_up(session):
            self._connect(client, hang_up=True)
        elif session is not None and session.is_active():
            sign = (session.session_id, session.last_ping_pong_time)
            if sign != self._sign:
                self._connections += sign[0] != self._sign[0]
                self._sign = sign
                self._heard()
            if now_s - self._heard_s > self._deaf_s:
                _log.warning(
                    "Slack has given no sign of life for %.0f s: connecting anew", self._deaf_s
                )
                self._connect(client, hang_up=True)
        elif now_s >= self._try_at_s:
            self._connect(client, hang_up=False)

    def _connect(self, client: SocketModeClient, *, hang_up: bool) -> None:
        self._failure = ""
        try:
            if hang_up:
                client.disconnect()
            client.connect_to_new_endpoint()
        except Exception as error:  # slack_sdk's threads get in each other's way: AttributeError
            self._broken(error)
        if client.is_connected():
            if self._failures:
                _log.info("Slack is listened to again")
            self._failures = 0
            self._heard()
            return
        wait_s = self._back_off_s[min(self._failures, len(self._back_off_s) - 1)]
        self._try_at_s = self._now_s() + wait_s
        if not self._failures and not self.refused:
            _log.warning("presses in Slack do not arrive now: %s", self._failure or "no connection")
        self._failures += 1

    def _broken(self, error: Exception) -> None:
        """Note why a connection failed, in words that hold neither token nor address."""
        from slack_sdk.errors import SlackClientError

        if not isinstance(error, SlackClientError | OSError | http.client.HTTPException):
            self._failure = type(error).__name__
            return
        refusal = understand(error)
        self._failure = refusal.what
        if refusal.code in _NO_ENTRY:
            self.refused = f"Slack does not accept the token in SLACK_APP_TOKEN ({refusal.code})"
        elif refusal.code == "missing_scope":
            self.refused = "the token in SLACK_APP_TOKEN lacks the scope connections:write"

    def _heard(self) -> None:
        self._heard_s = self._now_s()

    # --- in the client's threads ------------------------------------------------------------------

    def _message(
        self, client: BaseSocketModeClient, message: dict[str, Any], raw: str | None
    ) -> None:
        count = message.get("num_connections") if message.get("type") == "hello" else None
        # An old connection of ours may still be there when a new one is made.
        ours = 2 if self._connections else 1
        if isinstance(count, int) and count > ours and not self._warned:
            self._warned = True
            _log.warning(
                "%d programs listen with the same SLACK_APP_TOKEN: Slack gives each press to one of"
                " them, and the others never hear of it; every machine needs an app of its own",
                count,
            )

    def _request(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        from slack_sdk.errors import SlackClientNotConnectedError
        from slack_sdk.socket_mode.response import SocketModeResponse

        if request.type == "interactive":
            try:
                for press in presses_in(request.payload):
                    self._on_press(press)
            except Exception:  # whatever it is: without an acknowledgement it comes again
                _log.exception("a press could not be kept; Slack delivers it again")
                return
        try:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        except SlackClientNotConnectedError:
            _log.info("a connection ended before a press was acknowledged; it is kept")


def _has_hung_up(session: Connection) -> bool:
    """Whether the other side has closed the connection without a word. The client of slack_sdk
    reads nothing from it then, again and again without a pause, until five pings have failed."""
    wire = session.sock
    if wire is None:
        return False
    watch = select.poll()
    try:
        watch.register(wire, _HUNG_UP)
        return bool(watch.poll(0))
    except (OSError, ValueError):  # it is being closed here
        return False


def presses_in(payload: object) -> list[SlackPress]:
    """The buttons with a value that a payload tells of; none in anything else that it may be."""
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return []
    container, message = _part(payload, "container"), _part(payload, "message")
    user, channel = _part(payload, "user"), _part(payload, "channel")
    actions = payload.get("actions")
    found = []
    for action in actions if isinstance(actions, list) else []:
        if not isinstance(action, dict) or not isinstance(action.get("value"), str):
            continue  # a button that opens a page
        said = [user.get("id"), container.get("message_ts"), action.get("action_ts")]
        key = [str(part) for part in (*said, action["value"])]
        found.append(
            SlackPress(
                key=hashlib.sha256("\n".join(key).encode()).hexdigest()[:32],
                user=str(user.get("id", "")),
                value=action["value"][:_VALUE_CHARS],
                channel=str(channel.get("id") or container.get("channel_id") or ""),
                ts=str(container.get("message_ts") or message.get("ts") or ""),
                thread_ts=str(container.get("thread_ts") or message.get("thread_ts") or ""),
            )
        )
    return found


def _part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}
