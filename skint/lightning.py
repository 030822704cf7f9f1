"""`skint.Callback` for a Lightning `Trainer`: reports each epoch and stops without loss.

`trainer.should_stop` is never used: it validates first and then saves the epoch as if it were
finished, so that the rest of it is lost. Instead the callback saves where everything that was
computed is in the checkpoint, and raises.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from skint.attempt import AttemptDir, StopRequest
from skint.context import PARK_ON_TERM, StopRequested
from skint.events import EventWriter
from skint.report import current_attempt

if "lightning.pytorch" in sys.modules and "pytorch_lightning" not in sys.modules:
    from lightning.pytorch import callbacks
else:
    try:
        from pytorch_lightning import callbacks
    except ImportError:
        from lightning.pytorch import callbacks

__all__ = ["CHECKPOINT", "Callback"]

CHECKPOINT = Path("checkpoints", "last.ckpt")
"""Under the attempt's `out`: where a stop saves, for `trainer.fit(ckpt_path=...)`."""
LOOK_S = 0.05
"""The stop file is looked for at most this often: on a network disk a look costs a millisecond."""


class Callback(callbacks.Callback):
    """Give it to a `Trainer`; outside skint it does nothing.

    It reports the metrics of each validated epoch, by the names they were logged with, and
    obeys a request to stop: after the optimiser's step that it finds it in, or for `how: epoch`
    after the first step of the next epoch, when the epoch's other callbacks have done their part.
    During validation it saves so that a resumed run validates that epoch again from the start.
    It then raises StopRequested out of `trainer.fit`.
    """

    def __init__(self) -> None:
        self._attempt: AttemptDir | None = None
        self._events: EventWriter | None = None
        self._looked_s = 0.0
        self._at_epoch_end: StopRequest | None = None
        self._validated = False

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Find the attempt that this process belongs to."""
        self._attempt = current_attempt() if stage == "fit" else None
        if self._attempt is not None:
            self._events = EventWriter.of(self._attempt, self._attempt.read_task())
        self._at_epoch_end, self._validated = None, False

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop here if asked, where all that was computed has been applied."""
        done = batch_idx + 1
        every = trainer.val_check_batch  # None when validation goes by time
        if done >= trainer.num_training_batches or (every and done % every == 0):
            # A resumed run would skip the validation that follows. It stops in it, or after it.
            return
        if done % trainer.accumulate_grad_batches != 0:
            return  # gradients that were not applied yet are not in a checkpoint
        request = self._at_epoch_end or self._stop_request(trainer)
        if request is not None and (request.how != "epoch" or self._at_epoch_end):
            self._save_and_stop(trainer, request)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the counters agree after resuming in a validation; see `_forget_validation`."""
        if self._attempt is None or trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        progress = trainer.fit_loop.epoch_loop.val_loop.batch_progress
        if progress.current.ready == 0:
            progress.total.ready = progress.total.started = progress.total.completed

    def on_validation_batch_end(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        """Stop here if asked: a validation may be longer than the grace."""
        if self._attempt is None or trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        request = self._stop_request(trainer)
        if request is not None and request.how != "epoch":
            _forget_validation(trainer.fit_loop.epoch_loop.val_loop.batch_progress)
            self._save_and_stop(trainer, request)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report the epoch, unless it was not validated and the numbers are an earlier one's."""
        self._looked_s = 0.0
        self._at_epoch_end = self._stop_request(trainer)
        has_validation = bool(trainer.num_val_batches) and trainer.enable_validation
        if self._events is None or not trainer.is_global_zero:
            return
        if has_validation and not self._validated:
            return
        self._validated = False
        values: dict[str, Any] = {"epoch": trainer.current_epoch + 1}
        if trainer.max_epochs is not None and trainer.max_epochs > 0:
            values["epochs"] = trainer.max_epochs
        self._events.report({**values, **epoch_metrics(trainer.callback_metrics)})

    def _stop_request(self, trainer: Any) -> StopRequest | None:
        if self._attempt is None:
            return None
        request = None
        now_s = time.monotonic()
        # After TERM the processes of one run must not differ in when they look.
        if now_s - self._looked_s >= LOOK_S or trainer.received_sigterm or trainer.world_size > 1:
            self._looked_s = now_s
            request = self._attempt.read_stop()
        if trainer.received_sigterm and (request is None or request.how == "epoch"):
            request = PARK_ON_TERM
        if trainer.world_size > 1:
            asked = trainer.strategy.reduce_boolean_decision(request is not None, all=False)
            if asked and request is None:  # another process saw it first
                request = PARK_ON_TERM
        return request

    def _save_and_stop(self, trainer: Any, request: StopRequest) -> None:
        assert self._attempt is not None and self._events is not None
        path = self._attempt.out / CHECKPOINT
        partial = path.with_name(f"{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
            self._events.write(
                "checkpoint",
                path=CHECKPOINT.as_posix(),
                epoch=trainer.current_epoch,
                step=trainer.global_step,
            )
        raise StopRequested(request)


def epoch_metrics(logged: Any) -> dict[str, Any]:
    """What was logged, one value a name: without `x_step`, and `x_epoch` only where no `x` is."""
    return {
        name: value
        for name, value in logged.items()
        if not name.endswith("_step")
        and not (name.endswith("_epoch") and name.removesuffix("_epoch") in logged)
    }


def _forget_validation(progress: Any) -> None:
    """Set the counters of the validation loop to "in its first batch".

    Lightning resumes a validation after the batches it counted, but the metrics of those are in
    no checkpoint: the epoch's numbers would be made of the rest. From here it starts anew.
    """
    before = progress.total.completed - progress.current.completed
    for tracker, done in ((progress.total, before), (progress.current, 0)):
        tracker.ready = tracker.started = done + 1
        tracker.processed = tracker.completed = done
