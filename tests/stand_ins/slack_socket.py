"""Slack's Socket Mode on loopback: what docs.slack.dev documents, and what goes wrong with it.

Beside a `SlackStandIn`, whose Web API hands out the addresses: each is good for one connection. An
envelope that is not acknowledged within `ack_s` is delivered again; with several connections each
gets every so-many-th.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from tests.stand_ins.slack import CHANNEL, SlackStandIn
from tests.stand_ins.slack_records import Message, Method

APP_TOKEN = "xapp-1-A0STANDIN-3333-TheStandInsAppSecret"
PRESSER = "U0PRESSER1"


@dataclass(eq=False)
class Link:
    """One connection that a client has opened."""

    socket: web.WebSocketResponse
    wire: asyncio.Transport
    deaf: bool = False
    """Half-open: nothing more comes through, in neither direction, and nobody closes it."""


@dataclass(eq=False)
class Delivery:
    """What became of an envelope."""

    envelope: dict[str, Any]
    tries: int = 0
    acks: int = 0
    acked: threading.Event = field(default_factory=threading.Event)


class SocketModeStandIn:
    """`with SlackStandIn() as slack, SocketModeStandIn(slack) as sockets:`"""

    def __init__(self, slack: SlackStandIn, *, ack_s: float = 3.0, redeliveries: int = 3) -> None:
        self.slack = slack
        self.ack_s = ack_s
        self.redeliveries = redeliveries
        self.links: list[Link] = []
        self.opened = 0
        """Connections so far."""
        self.born_deaf = False
        """New connections get a hello and never anything else, not even a pong."""
        self.no_upgrade = False
        """Addresses are handed out, and connecting to them fails."""
        self.lost_acks = 0
        """So many acknowledgements that come next are lost on their way."""
        self.deliveries: list[Delivery] = []
        self._tickets: set[str] = set()
        self._turn = 0
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="socket mode", daemon=True)
        slack.methods["apps.connections.open"] = Method(self._open, token=APP_TOKEN)

    def __enter__(self) -> SocketModeStandIn:
        self._thread.start()
        assert self._ready.wait(300)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # --- what a test does -------------------------------------------------------------------------

    def press(
        self,
        value: str | None,
        *,
        user: str = PRESSER,
        channel: str = CHANNEL,
        message: Message | None = None,
    ) -> Delivery:
        """Somebody presses a button that carries `value`; the envelope goes on its way."""
        ts = message.ts if message else "1700000000.000001"
        thread = {"thread_ts": message.thread_ts} if message and message.thread_ts else {}
        action = {
            "type": "button",
            "action_id": "press",
            "block_id": "presses",
            "text": {"type": "plain_text", "text": "Press"},
            "action_ts": f"1700000500.{secrets.randbelow(10**6):06}",
            **({} if value is None else {"value": value}),
        }
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "team_id": "T0STANDIN"},
            "api_app_id": "A0STANDIN",
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, **thread},
            "trigger_id": "1.2.3",
            "team": {"id": "T0STANDIN", "domain": "stand-in"},
            "channel": {"id": channel, "name": "training"},
            "message": {"type": "message", "text": "", "ts": ts, **thread},
            "state": {"values": {}},
            "actions": [action],
        }
        return self.send("interactive", payload)

    def press_button(self, message: Message, label: str, user: str = PRESSER) -> Delivery:
        """Press what stands under a message with that label; it must be there."""
        buttons = {
            part["text"]["text"]: part.get("value")
            for block in message.blocks
            if block["type"] == "actions"
            for part in block["elements"]
        }
        assert label in buttons, f"no {label!r} among {list(buttons)}"
        return self.press(buttons[label], user=user, channel=message.channel, message=message)

    def send(self, type: str, payload: dict[str, Any]) -> Delivery:
        envelope = {
            "envelope_id": secrets.token_hex(8),
            "type": type,
            "accepts_response_payload": False,
            "payload": payload,
        }
        delivery = Delivery(envelope)
        self.deliveries.append(delivery)
        asyncio.run_coroutine_threadsafe(self._deliver(delivery), self._loop)
        return delivery

    def refresh(self) -> None:
        """What Slack does every few hours: it asks clients to connect anew, and then hangs up."""
        self._do(self._refresh(list(self.links)))

    def reset(self) -> None:
        """The network tears all connections (RST)."""
        self._do(self._reset(list(self.links)))

    def hang_up(self) -> None:
        """All connections are closed (FIN) without a close frame, as a proxy on the way does."""
        for link in list(self.links):
            self._loop.call_soon_threadsafe(link.wire.close)

    def deafen(self) -> None:
        """All connections of now are half-open from here on."""
        for link in self.links:
            link.deaf = True

    # --- what runs in the loop --------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        for link in self.links:
            link.wire.abort()
        self._loop.run_until_complete(runner.cleanup())
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/link/{ticket}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (self._port,) = [address[1] for address in runner.addresses]
        return runner

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    def _open(self, form: dict[str, Any]) -> dict[str, Any]:
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return {"url": f"ws://127.0.0.1:{self._port}/link/{ticket}"}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        if self.no_upgrade or ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.remove(ticket)
        channel = web.WebSocketResponse(autoping=False)
        await channel.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        link = Link(channel, request.transport, deaf=self.born_deaf)
        self.links.append(link)
        self.opened += 1
        try:
            await channel.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self.links),
                    "debug_info": {"host": "stand-in", "approximate_connection_time": 18060},
                    "connection_info": {"app_id": "A0STANDIN"},
                }
            )
            async for message in channel:
                if link.deaf:
                    continue
                if message.type == WSMsgType.PING:
                    await channel.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self.links.remove(link)
        return channel

    def _acknowledged(self, answer: dict[str, Any]) -> None:
        if self.lost_acks:
            self.lost_acks -= 1
            return
        for delivery in self.deliveries:
            if delivery.envelope["envelope_id"] == answer.get("envelope_id"):
                delivery.acks += 1
                delivery.acked.set()

    async def _deliver(self, delivery: Delivery) -> None:
        while not delivery.acked.is_set() and delivery.tries <= self.redeliveries:
            while not self.links:
                await asyncio.sleep(0.02)
            link = self.links[self._turn % len(self.links)]
            self._turn += 1
            again = {"retry_attempt": delivery.tries, "retry_reason": "timeout"}
            delivery.tries += 1
            if not link.deaf:
                try:
                    await link.socket.send_json({**delivery.envelope, **again})
                except ConnectionError:  # it was closed just now
                    delivery.tries -= 1
                    await asyncio.sleep(0.02)
                    continue
            deadline_s = self._loop.time() + self.ack_s
            while not delivery.acked.is_set() and self._loop.time() < deadline_s:
                await asyncio.sleep(0.01)

    async def _refresh(self, links: list[Link]) -> None:
        for link in links:
            await link.socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            self._loop.call_later(0.5, link.wire.close)

    async def _reset(self, links: list[Link]) -> None:
        for link in links:
            wire = link.wire.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.wire.abort()
