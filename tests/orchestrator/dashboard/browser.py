"""A headless Chromium, told what to do over its debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S = 60.0


def program() -> str | None:
    """Where it is installed; None if it is not."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One window. Use with `async with`."""

    def __init__(self, folder: Path, *, size: tuple[int, int] = (1100, 700)) -> None:
        self._folder = folder
        self._size = size
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Browser:
        path = program()
        assert path is not None
        width, height = self._size
        self._process = subprocess.Popen(
            [
                path,
                "--headless=new",
                "--no-sandbox",  # as root there is none
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._folder}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._session = aiohttp.ClientSession()
        port = await self._port()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as response:
            (target,) = [one for one in await response.json() if one["type"] == "page"]
        self._socket = await self._session.ws_connect(
            target["webSocketDebuggerUrl"], max_msg_size=0
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        os.killpg(self._process.pid, 9)
        self._process.wait()

    async def _port(self) -> int:
        told = self._folder / "DevToolsActivePort"
        for _ in range(round(START_S / 0.1)):
            if told.exists() and (lines := told.read_text().splitlines()):
                return int(lines[0])
            assert self._process.poll() is None, "the browser does not start"
            await asyncio.sleep(0.1)
        raise AssertionError("the browser does not listen")

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command of the protocol."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = await self._socket.receive_json()
            if said.get("id") == number:
                assert "error" not in said, said
                return dict(said["result"])

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """What an expression is worth on the page."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression is true; fails after a long while."""
        for _ in range(600):
            if await self.value(script):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"it did not come to {script}")

    async def press(self, key: str) -> None:
        """A letter, or Enter."""
        text = "\r" if key == "Enter" else key
        more = {"key": key, "windowsVirtualKeyCode": ord(text.upper()), "text": text}
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, **more)

    async def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])
