"""The command line: `skint COMMAND`. Each command is a module, imported when it is called."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Sequence

from orchestrator.cli.commands import COMMANDS, parser_of, usage
from skint import __version__
from skint.errors import FAILED, OK, USAGE, SkintError

__all__ = ["main"]

GC_THRESHOLD = 100_000
"""Objects between collections: the default collects dozens of times while modules are imported."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A person's mistake is one message, never a traceback."""
    gc.set_threshold(GC_THRESHOLD)
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return OK
    if words[0] == "--version":
        print(f"skint {__version__}")
        return OK
    if words[0] not in COMMANDS:
        print(_unknown(words[0]), file=sys.stderr)
        return USAGE
    try:
        module, parser = parser_of(words[0])
        return int(module.run(parser.parse_args(words[1:])))
    except SkintError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"error: {_no_room(error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130


def _no_room(error: OSError) -> SkintError:
    from orchestrator.home import Home

    return SkintError(
        "the disk is full",
        where=error.filename or str(Home.find().path),
        got=error.strerror,
        next="make room, for example with `skint cache prune`, then try again",
    )


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean `skint {near[0]}`?" if near else "skint --help"
    return f"error: there is no command {word!r}\n  next    {hint}"
