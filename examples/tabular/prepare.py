"""The CPU job before the training: a table with numbers for its categories."""

from __future__ import annotations

import csv
import json
from collections import Counter

from pydantic import BaseModel

import skint

LEAST_BMI = {"high": 30, "some": 25, "usual": 0}
CATEGORIES = ("sex", "decade", "weight")
NUMBERS = ("bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


class Params(BaseModel, extra="forbid"):
    """Nothing to choose."""


@skint.job(devices=0, libraries=("scikit-learn",))
def table(params: Params, ctx: skint.Context) -> None:
    """442 patients of scikit-learn's diabetes study; `target` is the disease after a year."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    rows = []
    for values, target in zip(data.data.tolist(), data.target.tolist(), strict=True):
        row = dict(zip(data.feature_names, values, strict=True))
        weight = next(word for word, least in LEAST_BMI.items() if row["bmi"] >= least)
        decade = f"{int(row['age'] // 10) * 10}s"
        words = {"sex": f"sex {row['sex']:.0f}", "decade": decade, "weight": weight}
        rows.append({**words, **{name: row[name] for name in NUMBERS}, "target": target})
    # A category of one row is nothing that could be learnt: it becomes "other", number 0.
    maps = {}
    for name in CATEGORIES:
        counts = Counter(row[name] for row in rows)
        common = sorted(word for word, count in counts.items() if count > 1)
        maps[name] = {"other": 0, **{word: n for n, word in enumerate(common, start=1)}}
        for row in rows:
            row[name] = maps[name].get(row[name], 0)
    with (ctx.out / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (ctx.out / "categories.json").write_text(json.dumps(maps, indent=1) + "\n")
    ctx.note(f"{len(rows)} rows, {len(NUMBERS)} numbers, {len(CATEGORIES)} categories")
