"""The command line: `skint COMMAND`. Each command is a module, imported when it is called."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.cli.commands import parser_of
from orchestrator.cli.parsing.aliases import meant
from orchestrator.cli.parsing.manner import Manner, split, with_said
from skint import __version__
from skint.errors import FAILED, INTERRUPTED, OK, SkintError

__all__ = ["main"]

COMPLETE = "__complete"
_NO_FOLDER = (errno.ENOTDIR, errno.EEXIST, errno.ENOENT)
"""What a system says of a home that is a file, or cannot be made."""
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
GC_THRESHOLD = 100_000
"""Objects between collections: the default collects dozens of times while modules are imported."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A person's mistake is one message, never a traceback."""
    gc.set_threshold(GC_THRESHOLD)
    line = sys.argv[1:] if argv is None else argv
    if line and line[0] == COMPLETE:
        return _complete(line[1:])
    manner, words = split(line)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    try:
        code = _obeyed(words, manner)
        if sys.stdout is not None:
            sys.stdout.flush()  # or its error comes when nobody is here to tell it
        return code
    except SkintError as error:
        return _failed(error, manner)
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    except OSError as error:
        if (useless := _useless_home(error)) is not None:
            return _failed(useless, manner)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        if error.filename is None and _output_is_full():
            print(f"error: {_cannot_print(error)}", file=sys.stderr)
            return FAILED
        return _failed(_no_room(error), manner)
    except KeyboardInterrupt:
        return INTERRUPTED


def _obeyed(words: list[str], manner: Manner) -> int:
    if not words or words[0] in ("-h", "--help"):
        from orchestrator.cli.parsing.usage import usage
        from orchestrator.cli.printing.screen import columns

        print(usage(columns()))
        return OK
    if words[0] == "--version":
        print(f"skint {__version__}")
        return OK
    name, words = meant(words)
    module, parser = parser_of(name)
    arguments = parser.parse_args(words)
    arguments.manner = with_said(manner, arguments)
    if arguments.manner.no_color:
        os.environ["NO_COLOR"] = "1"  # what rich, textual and our own scheduler's children heed
    return int(module.run(arguments))


def _complete(line: Sequence[str]) -> int:
    """What a shell asks when somebody presses TAB; the scripts of `skint completion` do."""
    from orchestrator.cli.completing.lines import lines
    from orchestrator.cli.completing.offers import offers
    from orchestrator.cli.completing.shells import answer, words_of
    from orchestrator.home import Home

    shell, number, *words = line
    home = Home.find()
    known = lines(home.path / "completion.json")
    print(answer(shell, offers(words_of(shell, int(number), words), known, home)))
    return OK


def _failed(error: SkintError, manner: Manner) -> int:
    if manner.json:
        from orchestrator.cli.printing.output import print_error

        try:
            print_error(error)
            sys.stdout.flush()
        except BrokenPipeError:  # who reads it has left
            _print_no_more()
    else:
        from orchestrator.cli.printing.screen import error_text

        on_screen = sys.stderr is not None and sys.stderr.isatty()
        width = shutil.get_terminal_size().columns if on_screen else None
        print(error_text(f"error: {error}", width), file=sys.stderr)
    return error.exit_code


def _output_is_full() -> bool:
    """Whether what is printed finds no room; then the rest of it goes nowhere."""
    if sys.stdout is None:
        return False
    out = sys.stdout.fileno()
    try:
        sys.stdout.flush()
        if stat.S_ISCHR(os.fstat(out).st_mode) and not os.isatty(out):
            os.write(out, b"\n")  # /dev/full has kept nothing; /dev/null does not mind
    except OSError:
        _print_no_more()
        return True
    return False


def _print_no_more() -> None:
    """What is still to be printed goes nowhere, and fails nobody at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _cannot_print(error: OSError) -> SkintError:
    from orchestrator.cli.program.outlet import CannotPrint

    return CannotPrint(
        "what is to be printed cannot be written",
        where="standard output",
        got=error.strerror,
        next="make room there, or print somewhere else",
    )


def _useless_home(error: OSError) -> SkintError | None:
    """Where it is about the folder in which everything is kept, and that is none, or not ours."""
    from orchestrator.home import VARIABLE, Home

    home = Home.find().path
    about = _NOT_OURS if home.is_dir() else _NO_FOLDER + _NOT_OURS
    if error.errno not in about or error.filename is None:
        return None
    if not Path(os.fsdecode(error.filename)).is_relative_to(home):
        return None
    return SkintError(
        "the folder in which skint keeps everything cannot be used",
        where=str(home),
        got=error.strerror,
        wanted="a folder that you may write to, or that can be made",
        next=f"export {VARIABLE}=/another/folder",
    )


def _no_room(error: OSError) -> SkintError:
    from orchestrator.home import Home

    return SkintError(
        "the disk is full",
        where=error.filename or str(Home.find().path),
        got=error.strerror,
        next="make room, for example with `skint cache prune`, then try again",
    )
