"""A plan as somebody asks for it. What the file alone can have wrong is refused when it is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.plans.checked import Checked, checked
from orchestrator.plans.picture_recipes import OtherPictures, other_pictures
from orchestrator.settings import Settings
from skint.errors import SkintError

NO_SETTINGS = Settings()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A plan file and the words around it."""

    path: str
    """As the user wrote it."""
    sets: Sequence[str] = ()
    account: str | None = None
    """To be charged instead of the plan's."""
    folds: Collection[int] | None = None
    """None: all of them."""
    cpu_only: bool = False
    again: bool = False
    settings: Settings = NO_SETTINGS
    """What the plan leaves open."""
    remembered: Path | None = None
    """Keeps what was found in files of code for the next time (`plans.parsed`)."""
    kept: Path | None = None
    """Keeps what plans came to (`plans.checked`)."""
    keys: Path | None = None
    """Where it stands what earlier keys were made of (`plans.ingredients`)."""

    def read(self) -> Checked:
        """Load, expand and check it. Raises PlanError and what the plan's parts raise."""
        made = checked(
            self.path,
            self.sets,
            self.account,
            self.settings,
            remembered=self.remembered,
            kept=self.kept,
        )
        if self.folds is not None:
            from orchestrator.plans.only_folds import only_folds

            made = replace(made, graph=only_folds(made.graph, self.folds))
        for other in other_pictures(made.graph):
            raise self._pictures_error(other)
        return made

    def error(self, at: tuple[str, ...], what: str, **parts: Any) -> SkintError:
        """An error that stands where the plan says what is `at` these keys."""
        from orchestrator.plans.plan import load_plan  # only for a mistake

        return load_plan(self.path, self.sets, self.account).error(at, what, **parts)

    def _pictures_error(self, other: OtherPictures) -> SkintError:
        how = "fail when all is trained" if other.fails else "be wrong more often"
        return self.error(
            ("jobs", other.given),
            f"{other.predict} would {how}: its networks know other pictures",
            got=f"{other.given_value} from {other.given}; {other.trained} trains with"
            f" {other.trained_value}",
            wanted=f"the `{other.key}` of {other.trained}",
            next=" ".join(f"--set {mend}" for mend in other.mend) + ", or change both",
        )
