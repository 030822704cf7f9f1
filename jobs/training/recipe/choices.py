"""The words that a recipe may use, and the small models inside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

Schedule = Literal["one-cycle", "cosine", "sgdr", "step", "constant"]
Freeze = Literal["none", "backbone"]
AugmentName = Literal["none", "flip", "light", "trivial"]
Loss = Literal["auto", "cross-entropy", "bce", "mse", "l1", "huber"]
Logger = Literal["tensorboard", "mlflow", "wandb"]


def word_or_fields(given: Any) -> str:
    """Which of two forms is meant: an error should be about that one."""
    return "word" if isinstance(given, str) else "fields"


ClassWeights = Annotated[
    Annotated[Literal["none", "balanced"], Tag("word")]
    | Annotated[dict[str, Annotated[float, Field(gt=0)]], Tag("fields")],
    Discriminator(word_or_fields),
]


def _as_word(given: Any) -> Any:
    """YAML reads `precision: 32` as a number."""
    return str(given) if type(given) is int else given


Precision = Annotated[
    Literal["auto", "16-mixed", "bf16-mixed", "32"],
    BeforeValidator(
        _as_word, json_schema_input_type=Literal["auto", "16-mixed", "bf16-mixed", "32", 32]
    ),
]


class EarlyStopping(BaseModel):
    """Ends a stage that no longer gets better; the next one goes on, and the best epoch counts as
    always."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    patience: int = Field(ge=1)
    """Epochs in a row that are not better than the best one."""
    min_delta: float = Field(default=0.0, ge=0)
    """What counts as better, in the unit of the monitored metric."""
