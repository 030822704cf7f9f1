"""From a plan file and the words around it to its graph: all that the file alone can have wrong is
refused here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.plans.checked import Checked, checked
from orchestrator.plans.picture_recipes import OtherPictures, other_pictures
from orchestrator.settings import Settings
from skint.errors import SkintError

NO_SETTINGS = Settings()


def read_plan(
    path: str,
    *,
    sets: Sequence[str] = (),
    account: str | None = None,
    folds: Collection[int] | None = None,
    remembered: Path | None = None,
    kept: Path | None = None,
    settings: Settings = NO_SETTINGS,
) -> Checked:
    """Load, expand and check a plan. Raises PlanError and what the plan's parts raise.

    `remembered` keeps what was found in files of code for the next time (`plans.parsed`), `kept`
    what plans came to (`plans.checked`). `settings` say what the plan leaves open.
    """
    made = checked(path, sets, account, settings, remembered=remembered, kept=kept)
    if folds is not None:
        from orchestrator.plans.only_folds import only_folds

        made = replace(made, graph=only_folds(made.graph, folds))
    for other in other_pictures(made.graph):
        raise _pictures_error(path, sets, account, other)
    return made


def _pictures_error(
    path: str, sets: Sequence[str], account: str | None, other: OtherPictures
) -> SkintError:
    from orchestrator.plans.plan import load_plan  # only for a mistake

    what = f"{other.predict} would be wrong more often: its networks know other pictures"
    if other.fails:
        what = f"{other.predict} would fail when all is trained: its networks know other pictures"
    return load_plan(path, sets, account).error(
        ("jobs", other.given),
        what,
        got=f"{other.given_value} from {other.given}; {other.trained} trains with"
        f" {other.trained_value}",
        wanted=f"the `{other.key}` of {other.trained}",
        next=" ".join(f"--set {mend}" for mend in other.mend) + ", or change both",
    )
