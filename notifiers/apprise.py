"""Other services (Discord, Telegram, Teams, mail, ntfy, …) through apprise, the extra
`skint[apprise]`.

Nothing there can be edited: of a run's heads only the first and the last are told. The addresses
hold secrets, so they come from the environment variable SKINT_APPRISE_URLS.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from notifiers.base import Notice, NotifierSettingsError, NotifyError
from notifiers.catalog import refuse_unknown
from notifiers.manner import KEYS, manner_of
from skint.errors import CREDENTIALS

POST_GAP_S = 1.05
TITLE_CHARS = 200
BODY_CHARS = 4000
"""Services with a lower limit get several messages."""
MOST_PICTURES = 5

_STATUS = re.compile(r"\berror=(\d{3})\b")
_PASSING = frozenset({408, 425, 429})
_CALLS = re.compile(r"(?<!\w)@(?=[\w!&])|<(?=[!@#])")
"""What wakes somebody on one service or another: `@everyone`, `<@123>`, `<!channel>`."""
_JOINER = "\u2060"
"""Takes no room, and makes another word of it."""
_LOGGERS = ("apprise", "urllib3.connectionpool")
"""They write addresses, and with them tokens, into debug lines."""


class Apprise:
    """Tells every service of SKINT_APPRISE_URLS. No address stands in an error, log or repr."""

    shows_pictures = True

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._services: list[Any] | None = None

    @property
    def name(self) -> str:
        return self.place({})

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        refuse_unknown("apprise", settings, KEYS)
        manner_of("apprise", settings)

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        return "apprise"

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Apprise:
        """SKINT_APPRISE_URLS: one address or several, with spaces or lines between them."""
        cls.check(settings)
        if find_spec("apprise") is None:
            raise NotifierSettingsError(
                "apprise is not installed",
                where="notify.apprise",
                next="pip install 'skint[apprise]'",
            )
        urls = environ.get("SKINT_APPRISE_URLS", "").split()
        if not urls:
            raise _credentials(
                "SKINT_APPRISE_URLS is not set",
                "export SKINT_APPRISE_URLS='discord://… tgram://…'",
            )
        notifier = cls(urls)
        notifier._connected()
        return notifier

    def __repr__(self) -> str:
        return f"Apprise({len(self._urls)} addresses)"

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        return {"apprise": POST_GAP_S} if _is_worth(notice, address) else {}

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """To one service after the other; those that have it already are left out when it is
        tried again. Raises `NotifyError`."""
        if not _is_worth(notice, address):
            return address
        stored = notice.to_json()
        for url in self._urls:
            stored = stored.replace(url, "…")
        notice = Notice.from_json(stored)
        told = address.get("told", "").split() if address.get("of") == notice.key else []
        failures: list[NotifyError] = []
        with TemporaryDirectory() as folder, _silent():
            files, remark = _pictures(notice, Path(folder))
            for number, service in enumerate(self._connected()):
                if str(number) not in told:
                    failure = _tell(service, notice, files, remark)
                    told += [] if failure else [str(number)]
                    failures += [failure] if failure else []
        if not failures:
            return {"begun": "yes"}
        permanent = all(failure.permanent for failure in failures)
        # One service that refuses for good must not make the others hear of every head.
        begun = {"begun": "yes"} if address.get("begun") or permanent else {}
        raise NotifyError(
            "; ".join(failure.what for failure in failures),
            permanent=permanent,
            uncertain=any(failure.uncertain for failure in failures),
            reached={**begun, "of": notice.key, "told": " ".join(told)} if told else None,
        )

    def _connected(self) -> list[Any]:
        if self._services is None:
            import apprise

            with _silent():
                found = [apprise.Apprise.instantiate(url) for url in self._urls]
            for number, service in enumerate(found):
                if service is None:
                    raise _credentials(
                        f"address {number + 1} of {len(found)} in SKINT_APPRISE_URLS is none that "
                        "apprise knows",
                        "see https://github.com/caronc/apprise#supported-notifications",
                    )
                if "overflow=" not in self._urls[number]:
                    service.overflow_mode = apprise.OverflowMode.SPLIT
            self._services = found
        return self._services


def _is_worth(notice: Notice, address: Mapping[str, str]) -> bool:
    """A head that is neither the first nor the last would be one more message each epoch."""
    begun = address.get("begun") and address.get("of") != notice.key
    return notice.topic != "head" or notice.final or not begun


def _tell(service: Any, notice: Notice, files: Sequence[Path], remark: str) -> NotifyError | None:
    """One service is told; why it was not."""
    import apprise

    desk = apprise.Apprise()
    desk.add(service)
    lines = [_uncalled(line) for line in (*notice.details(), *([remark] if remark else []))]
    title = _clip(_uncalled(" ".join(notice.headline.split())), TITLE_CHARS)
    result = desk.notify(
        # Some services take no message without a body.
        body=_clip("\n".join(lines), BODY_CHARS) or title,
        title=title if lines else "",
        body_format=apprise.NotifyFormat.TEXT,
        attach=[str(file) for file in files] or None,
    )
    if result:
        return None
    # What apprise logs may quote an address; of it only the state of HTTP is passed on.
    states = [int(found) for one in result.logs() for found in _STATUS.findall(one.message)]
    what = f"apprise could not tell {service.service_name}"
    if not states:
        return NotifyError(f"{what} (no answer)", uncertain=True)
    state = states[-1]
    passing = state >= 500 or state in _PASSING
    return NotifyError(f"{what} (HTTP {state})", permanent=not passing, uncertain=state >= 500)


def _pictures(notice: Notice, folder: Path) -> tuple[list[Path], str]:
    """Files to attach, the curve first and drawn into `folder`, and a remark on what is missing."""
    found: list[Path] = []
    missing: list[str] = []
    if notice.curve is not None:
        try:
            from notifiers.plot import learning_curve_png
        except ImportError:  # matplotlib
            missing.append("no curve: matplotlib is not installed")
        else:
            found.append(folder / "learning-curve.png")
            found[0].write_bytes(learning_curve_png(notice.curve))
    for picture in notice.pictures:
        path = Path(picture.path)
        if path.is_file():
            found.append(path)
        else:
            missing.append(f"no picture {path.name}: it cannot be read")
    return found[:MOST_PICTURES], "; ".join(missing)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what apprise and requests log from our log while they work."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.propagate, logger.level) for logger in loggers]
    for logger in loggers:
        logger.propagate = False
    loggers[1].setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, (propagate, level) in zip(loggers, before, strict=True):
            logger.propagate = propagate
            logger.setLevel(level)


def _uncalled(text: str) -> str:
    return _CALLS.sub(rf"\g<0>{_JOINER}", text)


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _credentials(what: str, then: str) -> NotifierSettingsError:
    error = NotifierSettingsError(what, where="notify.apprise", next=then)
    error.exit_code = CREDENTIALS
    return error
