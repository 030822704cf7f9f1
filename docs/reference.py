"""Write docs/reference/*.md from the code: commands, plans, jobs, events, codes, errors, JSON.

Run by `make reference`, from anywhere; a test holds that the files are what this writes. Nothing
of training is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from docs.making.pages import pages  # noqa: E402


def main() -> None:
    folder = DOCS / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
