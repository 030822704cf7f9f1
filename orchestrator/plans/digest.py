"""One digest for plain data, whatever it stands for."""

from __future__ import annotations

import hashlib
import json


def digest_of(value: object) -> str:
    """SHA-256 of plain data; dictionaries count by content, not by order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
