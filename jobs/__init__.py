"""The built-in jobs. They are written against the same `skint.Context` as a user's.

The table is text: looking a name up imports nothing.
"""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "scan": "jobs.scan.job:scan",
    "resize": "jobs.resize.job:resize",
    "pca": "jobs.pca.job:pca",
    "bands": "jobs.bands.job:bands",
    "folds": "jobs.folds.job:folds",
    "subset": "jobs.subset.job:subset",
    "stats": "jobs.stats.job:stats",
    "preview": "jobs.preview.job:preview",
    "convert": "jobs.convert.job:convert",
    "features": "jobs.features.job:features",
    "probe": "jobs.probe.job:probe",
    "train": "jobs.train.job:train",
    "better": "jobs.better.job:better",
    "fit": "jobs.fit.job:fit",
    "predict": "jobs.predict.job:predict",
    "errors": "jobs.errors.job:errors",
    "card": "jobs.card.job:card",
}
"""`module:function` by the name that stands after `uses:`."""
