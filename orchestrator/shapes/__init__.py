"""The shapes of what commands answer with `--json`: a dataclass in a module for each command.

`skint schema NAME` prints the JSON Schema of one.
"""

from __future__ import annotations

from collections.abc import Mapping

SHAPES: Mapping[str, str] = {}
"""Name and version, as in the answer, and `module:class`."""
