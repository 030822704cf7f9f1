"""What stands in the columns of text: JSON, in one line."""

from __future__ import annotations

import json


def dump(data: object) -> str:
    return _encode(data)


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
