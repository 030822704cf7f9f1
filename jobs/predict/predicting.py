"""The whole of `predict`, top to bottom."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

import skint
from jobs.better.choice import has_choice
from jobs.predict.answer import Answer
from jobs.predict.columns import Column, columns_of
from jobs.predict.measuring import Gain, measure_gain, score
from jobs.predict.models import Model, PredictError, load_models
from jobs.predict.params import Params
from jobs.predict.pictures import Pictures, find_pictures
from jobs.predict.running import answers_of, predict_all
from jobs.predict.sample_file import SampleFile, read_sample, rows_of
from jobs.predict.submitting import write_submission
from jobs.predict.views import passes
from jobs.predict.writing import truth_of, write_predictions
from jobs.training.data.targets import known
from jobs.training.fitting.device import choose_engine
from jobs.training.recipe.augmentation import NAMED, Augmentation
from jobs.training.recipe.measures import ALWAYS
from skint.attempt import write_atomic, write_json


def predict_pictures(params: Params, ctx: skint.Context) -> None:
    """Raises PredictError or WrongSubmission before anything is computed."""
    torch.set_num_threads(ctx.cpus)
    models = load_models(ctx)
    pictures = find_pictures(ctx, models)
    samples = [pictures.first.samples[row] for row in pictures.rows.tolist()]
    published = models[0].published
    if params.tta != "none" and published.size_px == (1, 1):
        if not has_choice(ctx):
            raise PredictError(
                "features have no other views",
                where="predict: tta",
                got=params.tta,
                next="give the job `features` the parameter `views: flip`, for both sets",
            )
        ctx.note(f"tta {params.tta}: left out, what was kept is a head on features, without views")
        params = params.model_copy(update={"tta": "none"})
    asked: tuple[SampleFile, tuple[Column, ...], Mapping[str, int | None]] | None = None
    if params.submission is not None:
        sample = read_sample(ctx.resolve(params.submission), params.id)
        columns = columns_of(sample, published.targets, params)
        allowed = params.on_missing == "sample"
        asked = sample, columns, rows_of(sample, samples, missing_allowed=allowed)
    for sentence in (pictures.note, _unmirrored(params, models)):
        if sentence:
            ctx.note(sentence)

    engine = choose_engine(params.precision, ctx.wait_for_devices())
    ctx.stage("predict")
    if engine.note:
        ctx.note(engine.note)
    begun = time.monotonic()
    measures = params.tta != "none" and params.measure > 0
    gain = measure_gain(models, params, engine, ctx) if measures else None
    if gain is not None:
        ctx.note(told(gain, params))
    predicted = predict_all(models, pictures, params, engine, ctx)
    seconds = time.monotonic() - begun

    answers = answers_of(models, predicted)
    write_predictions(ctx.out, pictures.first, pictures.rows, answers, params.threshold)
    if asked is not None:
        sample, columns, places = asked
        write_submission(ctx.out / "submission.csv", sample, columns, places, answers)
        _tell_submission(ctx, columns, places, len(samples))
    scores = _scores(models, pictures, answers)
    facts: dict[str, Any] = {
        "pictures": len(samples),
        "folds": [model.published.fold for model in models],
        "model": published.recipe.model,
        "tta": params.tta,
        "passes": passes(params),
        "gain": None if gain is None else gain.facts(),
        "scores": scores,
    }
    write_atomic(ctx.out / "predict.json", (json.dumps(facts, indent=1) + "\n").encode())
    timing = {"seconds": seconds, "cost": None if gain is None else gain.cost}
    write_json(ctx.out / "local" / "timing.json", timing)
    _tell_scores(ctx, models, scores)


def told(gain: Gain, params: Params) -> str:
    """ "flip: val_acc 0.874 → 0.881, +0.007 ± 0.004 on 500 held-out pictures; …"."""
    by = gain.augmented - gain.plain
    error = "" if gain.error is None else f" ± {gain.error:.2g}"
    return (
        f"tta {params.tta}: {gain.metric} {gain.plain:.4g} → {gain.augmented:.4g}, {by:+.2g}{error}"
        f" on {gain.pictures:,} held-out pictures; takes {gain.cost:.1f} × the time"
    )


def _unmirrored(params: Params, models: Sequence[Model]) -> str:
    """A doubt where pictures are mirrored that the training has never mirrored."""
    given = models[0].published.recipe.augment
    own = given if isinstance(given, Augmentation) else NAMED[given]
    mirrors = params.tta == "flip" or (params.tta == "crops" and params.views > 4)
    if not mirrors or own.flip_horizontal > 0:
        return ""
    return "the training mirrored no picture: mirrored views may do harm"


def _scores(
    models: Sequence[Model], pictures: Pictures, answers: Mapping[str, Answer]
) -> dict[str, dict[str, float]]:
    """Of the targets that are known of the predicted pictures themselves."""
    found = {}
    columns = {(one.name, one.kind): one for one in pictures.first.meta.targets}
    for target in models[0].published.targets:
        column = columns.get((target.name, target.kind))
        if column is None:
            continue
        answer = answers[target.name]
        truth = truth_of(pictures.first, answer)[pictures.rows]
        judged = known(column, truth)
        if judged.any():
            predicted = answer.predicted[judged]
            own = predicted[:, None] if target.kind == "value" else predicted
            found[target.name] = {
                "n": int(judged.sum()),
                f"val_{ALWAYS[target.kind]}": score(target, own, truth[judged]),
            }
    return found


def _tell_scores(
    ctx: skint.Context, models: Sequence[Model], scores: Mapping[str, Mapping[str, float]]
) -> None:
    for number, target in enumerate(models[0].published.targets):
        if target.name not in scores:
            continue
        metric = f"val_{ALWAYS[target.kind]}"
        value, count = scores[target.name][metric], int(scores[target.name]["n"])
        ctx.note(f"{target.name}: {metric} {value:.4g} on {count:,} pictures whose truth is known")
        if number == 0:
            ctx.report(metric=metric, score=value, n=count)


def _tell_submission(
    ctx: skint.Context,
    columns: Sequence[Column],
    places: Mapping[str, int | None],
    count: int,
) -> None:
    used = {place for place in places.values() if place is not None}
    says = columns[0].says if len(columns) == 1 else f"{len(columns)} columns"
    ctx.note(f"submission.csv: {len(places):,} ids; {says}")
    lacking = [one for one, place in places.items() if place is None]
    if lacking:
        ctx.note(f"{len(lacking):,} ids have the sample's own cells: {lacking[0]} has no picture")
    if len(used) < count:
        ctx.note(f"{count - len(used):,} pictures are not asked for by the sample submission")
