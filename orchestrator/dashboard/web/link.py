"""Hands the one-time link to a browser in a file that only its owner can read: on a command line
everybody on the machine could read it."""

from __future__ import annotations

import html
import os
import webbrowser
from pathlib import Path

PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>skint top</title>
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}"></head>
<body><a href="{url}">skint top</a></body></html>
"""


class LinkFile:
    """A page that leads to the link, in `folder`; there until the link was used, or the server
    ends."""

    def __init__(self, folder: Path, port: int) -> None:
        self.path = folder / f"top-{port}.html"

    def open(self, url: str) -> bool:
        """Write it and have a browser show it; False where there is no browser. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.remove()  # of a server that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(self.path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(PAGE.format(url=html.escape(url)))
        return webbrowser.open(self.path.absolute().as_uri())

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
