"""`skint top --web`: the dashboard in a browser, by textual-serve. On loopback, for one person.

Only imported where it is asked for: textual-serve and aiohttp are the extra `skint[web]`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from orchestrator.dashboard.web.guard import Guard, WebError, is_local, is_own
from orchestrator.dashboard.web.link import LinkFile

HOST = "127.0.0.1"
TITLE = "skint top"
USUAL_PORT = 8642
MOST_TABS = 8
GRACE_S = 2.0
"""What a tab's process has to end after it was told to."""
HEAD = f"""<head><title>{TITLE}</title><script>
addEventListener("load", () => {{
  const wait = setInterval(() => {{
    const typed = document.querySelector("textarea");
    if (typed) {{ typed.focus(); clearInterval(wait); }}
  }}, 50);
}});
</script>"""
"""What textual-serve's page has not: a title, and keys that work before the first click."""
HEADERS = {
    # Nothing from elsewhere: textual-serve's page asks Google for a font.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws:;"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Tab(AppService):
    """The process of one tab, in a process group of its own, which ends with the tab."""

    def __init__(self, argv: tuple[str, ...], **more: Any) -> None:
        super().__init__(" ".join(argv), **more)
        self._argv = argv
        self._process: Process | None
        self._task: asyncio.Task[None] | None

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width=width, height=height),
            start_new_session=True,
        )
        assert process.stdin is not None
        self._process, self._stdin = process, process.stdin
        return process

    async def stop(self) -> None:
        """Told to, it ends by itself; else it is killed with all that it started."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        self._process = self._task = None
        await self._quit(process)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _quit(self, process: Process) -> None:
        try:
            async with asyncio.timeout(GRACE_S):
                if not await self.send_meta({"type": "quit"}):
                    raise TimeoutError
                await process.wait()
        except TimeoutError:
            _kill_group(process.pid)
            await process.wait()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.killpg(pid, signal.SIGKILL)


class Page(Server):
    """The pages of textual-serve behind a guard."""

    def __init__(self, argv: tuple[str, ...], guard: Guard) -> None:
        super().__init__(" ".join(argv), host=HOST, port=0, title=TITLE)
        self._argv = argv
        self._guard = guard
        self._tabs: set[Tab] = set()
        self.link: LinkFile | None = None
        """Where the link stands for the browser, while nobody has used it."""

    async def application(self) -> web.Application:
        app = await self._make_app()
        app.middlewares.append(self._guarded)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Without the banner."""

    async def on_shutdown(self, app: web.Application) -> None:
        self.forget_link()
        await asyncio.gather(*(self._ended(tab) for tab in tuple(self._tabs)))

    @staticmethod
    async def _ended(tab: Tab) -> None:
        await tab.stop()
        await tab.remote_close()

    def forget_link(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            link.remove()

    @property
    def _cookie(self) -> str:
        return f"skint-top-{self.port}"  # cookies do not know ports: two servers must not quarrel

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_local(request.host) or not is_own(request.headers.get("Origin"), request.host):
            raise web.HTTPForbidden(text="skint top answers to this machine only")
        if self._guard.knows(request.cookies.get(self._cookie, "")):
            response = await handler(request)
            if not response.prepared:
                response.headers.update(HEADERS)
            return response
        asks = request.method == "GET" and request.path == "/"  # a preview would use the link up
        if asks and self._guard.takes(request.query.get("token", "")):
            self.forget_link()
            found = web.HTTPSeeOther("/")
            found.headers.update(HEADERS)
            found.set_cookie(self._cookie, self._guard.cookie, httponly=True, samesite="Lax")
            raise found
        raise web.HTTPForbidden(text=_forbidden(self._guard.used))

    async def handle_index(self, request: web.Request) -> web.Response:
        """As the original, by the name that the browser used: the port may be forwarded."""
        context = {
            "font_size": to_int(request.query.get("fontsize", "16"), 16),
            "app_websocket_url": f"ws://{request.host}/ws",
            "config": {"static": {"url": f"http://{request.host}/static/"}},
            "application": {"name": self.title},
        }
        page = aiohttp_jinja2.render_string("app_index.html", request, context)
        return web.Response(text=page.replace("<head>", HEAD, 1), content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._tabs) >= MOST_TABS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_TABS} tabs are open already")
        websocket = web.WebSocketResponse(heartbeat=15, timeout=1.0)
        await websocket.prepare(request)
        tab = Tab(
            self._argv,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=websocket.close,
            download_manager=self.download_manager,
        )
        self._tabs.add(tab)
        try:
            size = (request.query.get("width", "80"), request.query.get("height", "24"))
            await tab.start(to_int(size[0], 80), to_int(size[1], 24))
            await self._process_messages(websocket, tab)
        finally:
            self._tabs.discard(tab)
            await tab.stop()
        return websocket


def _forbidden(used: bool) -> str:
    if used:
        return (
            "the link of this skint top was used already, by another browser or tab: start it anew"
        )
    return "open the link that skint top --web has printed"


def serve(*, port: int | None, read_only: bool, open_in: Path | None) -> None:
    """Until SIGINT or SIGTERM; prints the link. With a folder to `open_in` a browser is shown a
    file there that leads to it. Raises WebError where the port is taken."""
    asyncio.run(_serve(port, read_only, open_in))


async def _serve(port: int | None, read_only: bool, open_in: Path | None) -> None:
    module = "orchestrator.dashboard.web.child"
    argv = (sys.executable, "-P", "-m", module, "--parent", str(os.getpid()))
    page = Page((*argv, "--read-only") if read_only else argv, Guard())
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(await page.application(), access_log=None, shutdown_timeout=GRACE_S)
    await runner.setup()
    try:
        page.port = await _listen(runner, port)
        page.public_url = f"http://{HOST}:{page.port}"
        url = f"{page.public_url}/?token={page._guard.token}"
        print(f"skint top is at {url}", flush=True)
        print("The link works once, on this machine. Ctrl-C ends it.", file=sys.stderr, flush=True)
        if open_in is not None:
            page.link = LinkFile(open_in, page.port)
            print(await asyncio.to_thread(_opened, page.link, url), file=sys.stderr, flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()


def _opened(link: LinkFile, url: str) -> str:
    """What came of it."""
    try:
        there = link.open(url)
    except OSError as error:
        return f"{link.path} cannot be written ({error.strerror}): open the link yourself"
    if not there:
        return "no browser could be opened: open the link yourself"
    return "A browser was asked to show it. If it cannot read the file it is given, open the link."


async def _listen(runner: web.AppRunner, port: int | None) -> int:
    """The port that it listens on: the one that was asked for, else the usual one or a free one."""
    for tried in (port,) if port is not None else (USUAL_PORT, 0):
        try:
            await web.TCPSite(runner, HOST, tried).start()
        except OSError as error:
            if port is None and tried:
                continue
            raise WebError(
                "the port cannot be listened on",
                where=f"{HOST}:{tried}",
                got=error.strerror or str(error),
                next="skint top --web, without --port, takes one that is free",
            ) from error
        break
    address = runner.addresses[0]
    return int(address[1])
