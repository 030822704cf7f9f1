"""Draw what a finished attempt got wrong: `python -P -m orchestrator.pictures FOLDER TITLE`.

Writes the picture and what it shows in words, or why there is none, beside the attempt's `out/`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import skint
from orchestrator.pictures.record import PICTURE, Record, write_record
from skint.attempt import AttemptDir, write_atomic


def main(folder: Path, title: str) -> None:
    from orchestrator.pictures.drawing import chosen_of, draw
    from orchestrator.pictures.mistakes import in_words

    attempt = AttemptDir(folder)
    try:
        chosen, data = chosen_of(skint.Context(attempt, attempt.read_task()))
        write_atomic(folder / PICTURE, draw(chosen, data, title))
    except skint.SkintError as error:
        write_record(folder, Record(missing=error.what))
    else:
        write_record(folder, Record(alt_text=in_words(chosen)))


if __name__ == "__main__":
    os.nice(10)  # what trains goes first
    main(Path(sys.argv[1]), sys.argv[2])
