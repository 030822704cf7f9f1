"""The dashboard in a browser: who may see it, and that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from orchestrator.dashboard.web.guard import Guard, is_local, is_own
from tests.orchestrator.dashboard import browser
from tests.orchestrator.dashboard.screens import second_fold

SKINT = (sys.executable, "-P", "-m", "orchestrator.cli")


def started(home: Path, *options: str, **more: str) -> tuple[subprocess.Popen[str], str]:
    """The server, and the link that it has printed; `more` are variables of its environment."""
    process = subprocess.Popen(
        [*SKINT, "top", "--web", *options],
        env={**os.environ, "SKINT_HOME": str(home), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", said)
    assert found is not None, said
    return process, found.group()


def test_the_token_works_once_and_the_cookie_from_then_on() -> None:
    guard = Guard()
    assert not guard.takes("")
    assert not guard.takes(guard.cookie)
    assert guard.takes(guard.token)
    assert not guard.takes(guard.token)
    assert guard.knows(guard.cookie)
    assert not guard.knows(guard.token)
    assert not guard.knows("\udcff")  # how a byte comes that is no text
    assert guard.token not in repr(guard)
    assert guard.cookie not in repr(guard)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1:8642", True),
        ("localhost", True),
        ("[::1]:8642", True),
        ("LOCALHOST:1", True),
        ("evil.example:8642", False),
        ("127.0.0.1.evil.example:8642", False),
        ("", False),
    ],
)
def test_a_name_that_only_points_here_is_not_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_only_a_page_of_this_server_opens_a_socket() -> None:
    assert is_own(None, "localhost:9000")
    assert is_own("http://localhost:9000", "localhost:9000")
    assert not is_own("http://localhost:9001", "localhost:9000")
    assert not is_own("null", "localhost:9000")


@contextlib.asynccontextmanager
async def seen(
    home: Path,
) -> AsyncIterator[tuple[subprocess.Popen[str], str, aiohttp.ClientSession]]:
    """A server, its link, and somebody with cookies."""
    process, url = started(home)
    jar = aiohttp.CookieJar(unsafe=True)  # of a host that is a number
    try:
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield process, url, session
    finally:
        process.kill()
        process.communicate()


async def shown(socket: aiohttp.ClientWebSocketResponse, words: bytes) -> None:
    """Read what is drawn until `words` stand in it."""
    text = b""
    while words not in text:
        message = await socket.receive(timeout=300)
        assert message.type == aiohttp.WSMsgType.BINARY, message
        text += message.data


async def gone(process: psutil.Process) -> None:
    for _ in range(600):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the process of the tab is left behind")


def test_without_the_cookie_everything_is_forbidden_the_socket_too(tmp_path: Path) -> None:
    async def steps() -> None:
        async with seen(tmp_path) as (_, url, session):
            base = url.partition("/?")[0]
            for path in ("/", "/ws", "/static/js/textual.js", "/?token=wrong"):
                async with session.get(base + path) as response:
                    assert response.status == 403, path
            async with session.head(url) as response:
                assert response.status == 403, "a preview does not use the link up"
            async with session.get(url, headers={"Host": "evil.example"}) as response:
                assert response.status == 403
            async with session.get(url) as response:
                assert (response.status, str(response.url)) == (200, f"{base}/")
                page = await response.text()
                assert "<title>skint top</title>" in page
                assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            async with session.get(f"{base}/ws", headers={"Origin": "http://evil"}) as response:
                assert response.status == 403
            async with aiohttp.ClientSession() as other, other.get(url) as response:
                assert response.status == 403
                assert "was used already" in await response.text()

    asyncio.run(steps())


def naming(into: Path) -> Path:
    """A program that is called as a browser is, and writes down what it was given."""
    program = into.with_suffix(".sh")
    program.write_text(f'#!/bin/sh\necho "$1" > {into}.new && mv {into}.new {into}\n')
    program.chmod(0o700)
    return program


async def written(path: Path) -> None:
    for _ in range(3000):
        if path.exists():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} is not there")


@contextlib.asynccontextmanager
async def tab(
    server: subprocess.Popen[str], url: str, session: aiohttp.ClientSession
) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, psutil.Process]]:
    """A tab that shows the run, and its process."""
    before = psutil.Process(server.pid).children()
    base = url.partition("/?")[0]
    async with session.ws_connect(f"{base}/ws?width=100&height=30", origin=base) as socket:
        await shown(socket, b"seedlings-1")
        (child,) = [one for one in psutil.Process(server.pid).children() if one not in before]
        assert os.getpgid(child.pid) == child.pid
        yield socket, child


def test_the_process_of_a_tab_ends_with_it_and_with_the_server(tmp_path: Path) -> None:
    second_fold(tmp_path).store.close()

    async def steps() -> None:
        async with seen(tmp_path) as (server, url, session):
            async with session.get(url):
                pass
            async with tab(server, url, session) as (socket, child):
                await socket.send_json(["stdin", "q"])
                await gone(child)
            async with tab(server, url, session) as (_, child):
                pass
            await gone(child)
            async with (
                tab(server, url, session) as (_, one),
                tab(server, url, session) as (_, other),
            ):
                other.suspend()  # as one that spins: it hears nothing
                server.terminate()
                assert await asyncio.to_thread(server.wait, 60) == 0
                await gone(one)
                await gone(other)

    asyncio.run(steps())


def test_a_server_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    second_fold(tmp_path).store.close()

    async def steps() -> None:
        async with seen(tmp_path) as (server, url, session):
            async with session.get(url):
                pass
            async with tab(server, url, session) as (_, child):
                server.kill()
                await gone(child)

    asyncio.run(steps())


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*SKINT, "top", "--web", "--port", str(port)],
            env={**os.environ, "SKINT_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert "the port cannot be listened on" in done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['textual_serve'] = None\n"
        "from orchestrator.cli import main; sys.exit(main(['top', '--web']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SKINT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "pip install 'skint[web]'" in done.stderr


@pytest.mark.skipif(browser.program() is None, reason="no Chromium is installed")
def test_a_browser_shows_it_and_its_keys_work(tmp_path: Path) -> None:
    """The browser is given a file that leads to the link; it is gone when the link was used."""
    world = second_fold(tmp_path / "home")
    world.store.close()
    named = tmp_path / "named"

    async def steps() -> None:
        server, url = started(tmp_path / "home", "--open", BROWSER=f"{naming(named)} %s")
        try:
            async with browser.Browser(tmp_path / "profile") as window:
                await written(named)
                page = named.read_text().strip()
                assert page.startswith("file://") and "token" not in page
                link = Path(page.removeprefix("file://"))
                assert link.stat().st_mode & 0o777 == 0o600
                assert url in link.read_text()
                await window.go(page)
                await window.until("document.body?.classList.contains('-first-byte')")
                assert await window.value("document.title") == "skint top"
                assert not link.exists()
                assert "token" not in await window.value("location.href")
                await window.until("document.activeElement.tagName == 'TEXTAREA'")
                assert (await window.picture()).startswith(b"\x89PNG")
                await window.press("q")
                await window.until("document.body.classList.contains('-closed')")
        finally:
            server.kill()
            server.communicate()

    asyncio.run(steps())
