"""The built-in jobs. They are written against the same `skint.Context` as a user's.

The table is text: looking a name up imports nothing.
"""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "scan": "jobs.scan:scan",
    "resize": "jobs.resize:resize",
    "pca": "jobs.pca:pca",
    "bands": "jobs.select_bands:bands",
    "folds": "jobs.folds:folds",
    "subset": "jobs.subset:subset",
    "stats": "jobs.stats:stats",
    "preview": "jobs.preview:preview",
    "convert": "jobs.convert:convert",
    "train": "jobs.train:train",
    "errors": "jobs.errors:errors",
}
"""`module:function` by the name that stands after `uses:`."""
