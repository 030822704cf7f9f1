"""`skint.Callback` for a Lightning `Trainer`: reports each epoch and stops without loss.

`trainer.should_stop` is never used: it validates first and then saves the epoch as if it were
finished, so that the rest of it is lost. Instead the callback saves where everything that was
computed is in the checkpoint, and raises.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from skint.attempt import AttemptDir
from skint.checkpoint import CHECKPOINT, CheckpointError, keep, partial_path, writing
from skint.context import PARK_ON_TERM, StopRequested
from skint.errors import SkintError
from skint.events import EventWriter, scalar
from skint.lightning_base import AnyLightning
from skint.random_state import random_state, set_random_state
from skint.ranks import everyones
from skint.report import current_attempt

__all__ = ["CHECKPOINT", "Callback"]

SAVE_SHARE = 50
"""A save that takes long is made more seldom: after so many times as long."""
LOOK_S = 0.05
"""The stop file is looked for at most this often: on a network disk a look costs a millisecond."""
STATE_VERSION = 1


class Callback(AnyLightning):
    """Give it to a `Trainer`; outside skint it only keeps the random generators' states.

    It reports the metrics of each validated epoch, by the names they were logged with, and
    obeys a request to stop: after the optimiser's step that it finds it in, or for `how: epoch`
    after the first step of the next epoch, when the epoch's other callbacks have done their part.
    During validation it saves so that a resumed run validates that epoch again from the start.
    It then raises StopRequested out of `trainer.fit`.

    Each report has `seconds`, the time of the epoch, and `in_step_s`, the part of it inside
    training and validation steps: from `on_..._batch_start` to `on_..._batch_end`. An accelerator
    computes behind the program's back: what is not waited for in a step counts where it is.
    """

    def __init__(
        self,
        *,
        save_every_s: float | None = None,
        epochs: int | None = None,
        epochs_before: int = 0,
        steps_before: int = 0,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """With `save_every_s`, the checkpoint is also written so long after the last one and at the
        end of the training: after any step where the loader knows its place (`state_dict`), else
        after the first step of an epoch. Where saving takes long, it is done more seldom.

        A program that calls `fit` several times counts on from the first: `epochs_before` and
        `steps_before` are what the earlier calls did, `epochs` is the number of all.

        `facts` are reported with the first epoch: `metric` is what the training is called good or
        bad by, `items` how many pictures it is validated on.
        """
        self.save_every_s = save_every_s
        self.epochs = epochs
        self.epochs_before = epochs_before
        self.steps_before = steps_before
        self.facts = dict(facts or {})
        self._attempt: AttemptDir | None = None
        self._events: EventWriter | None = None
        self._term = False
        self._looked_s = self._saved_s = self._save_s = 0.0
        self._stop_in_epoch = False
        self._measured: dict[str, Any] | None = None
        self._begun_s = self._epoch_s = self._in_step_s = 0.0
        self._loaded: Mapping[str, Any] | None = None
        self._before_validation: Mapping[str, Any] | None = None
        self._in_validation = False

    @property
    def state_key(self) -> str:
        """The same under either name of Lightning."""
        return "skint.Callback"

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Find the attempt that this process belongs to, and hear of TERM before Lightning does."""
        self._attempt = current_attempt() if stage == "fit" else None
        if self._attempt is not None:
            self._events = EventWriter.of(self._attempt, self._attempt.read_task())
            # Lightning's own handler makes it raise at the next step, whether that loses
            # gradients or not, and calls the other processes in the middle of what they compute.
            trainer._signal_connector._sigterm_notifier_fn = self._on_term
        self._term = self._stop_in_epoch = False
        self._measured = None
        self._saved_s = time.monotonic()

    def _on_term(self, *details: Any) -> None:
        self._term = True

    # The random generators.

    def state_dict(self) -> dict[str, Any]:
        """The generators' states, of every process of the training, and what was measured of an
        epoch that is not over."""
        mine = self._before_validation if self._in_validation else random_state()
        return {"version": STATE_VERSION, "random": everyones(mine), "measured": self._measured}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Kept until the training begins."""
        if state_dict.get("version") == STATE_VERSION:
            self._loaded, self._measured = state_dict, state_dict["measured"]

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Put the generators back before an epoch's order is drawn from them."""
        self._restore(trainer)

    def _restore(self, trainer: Any) -> None:
        if self._loaded is None:
            return
        states = self._loaded["random"]
        if len(states) == trainer.world_size:
            set_random_state(states[trainer.global_rank])

    # Training.

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self._epoch_s, self._in_step_s = time.monotonic(), 0.0

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._loaded is not None:
            if batch_idx > 0:  # the loader was set up again, which may draw: not in this epoch
                self._restore(trainer)
            self._loaded = None
        self._begun_s = time.monotonic()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop here if asked, where all that was computed has been applied."""
        now_s = time.monotonic()
        self._in_step_s += now_s - self._begun_s
        if self._attempt is None:
            return
        if trainer.is_last_batch or trainer.should_stop or _validates_next(trainer, batch_idx):
            # A resumed run would skip the validation that follows. It stops in it, or after it.
            return
        if (batch_idx + 1) % trainer.accumulate_grad_batches != 0:
            return  # gradients that were not applied yet are not in a checkpoint
        if self._is_asked(trainer, self._stop_in_epoch or self._wants_step(now_s)):
            self._save_and_stop(trainer)
        elif _may_save(trainer, batch_idx) and self._is_due(trainer, now_s):
            self._save_or_say_why_not(trainer)

    # Validation.

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the counters agree after resuming in a validation; see `_forget_validation`."""
        if not _validates(trainer):
            return
        progress = trainer.fit_loop.epoch_loop.val_loop.batch_progress
        if progress.current.ready == 0:
            progress.total.ready = progress.total.started = progress.total.completed
        self._restore(trainer)
        self._loaded = None
        self._before_validation = random_state()

    def on_validation_batch_start(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        self._begun_s = time.monotonic()

    def on_validation_batch_end(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        """Stop here if asked: a validation may be longer than the grace."""
        now_s = time.monotonic()
        if not _validates(trainer):
            return
        self._in_step_s += now_s - self._begun_s
        if self._attempt and self._is_asked(trainer, self._wants_step(now_s)):
            _forget_validation(trainer.fit_loop.epoch_loop.val_loop.batch_progress)
            self._in_validation = True
            self._save_and_stop(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if _validates(trainer):
            logged = epoch_metrics(trainer.callback_metrics)
            self._measured = {name: scalar(name, value) for name, value in logged.items()}

    # The end of an epoch, of the training, and of a process that fails.

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report the epoch, unless it was not validated and the numbers are an earlier one's."""
        now_s = time.monotonic()
        seconds, in_step_s = now_s - self._epoch_s, self._in_step_s
        self._epoch_s, self._in_step_s = now_s, 0.0
        if self._events is None or self._attempt is None:
            return
        asked = self._term or self._attempt.read_stop() is not None
        self._stop_in_epoch = self._is_asked(trainer, asked)
        measured, self._measured = self._measured, None
        if not trainer.is_global_zero or (trainer.enable_validation and measured is None):
            return
        epochs = self.epochs or trainer.max_epochs
        facts, self.facts = self.facts, {}
        self._events.report(
            {
                **facts,
                **(measured or {}),
                **epoch_metrics(trainer.callback_metrics),
                "epoch": self.epochs_before + trainer.current_epoch + 1,
                **({"epochs": epochs} if epochs and epochs > 0 else {}),
                "seconds": round(seconds, 6),
                "in_step_s": round(in_step_s, 6),
            }
        )

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Save what was trained, if it was asked to stop in the last step: it ends here."""
        if self._attempt is None:
            return
        asked = self._is_asked(trainer, self._wants_step(time.monotonic()))
        if asked and not trainer.should_stop:  # a resumed run would not know that it had enough
            self._save_and_stop(trainer)
        elif self.save_every_s is not None:
            self._save_or_say_why_not(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Of several processes the first that fails says why: the others fail because of it."""
        if self._events is None or self._attempt is None or trainer.world_size == 1:
            return
        if isinstance(exception, SkintError):
            self._events.error(
                exception.what,
                where=exception.where,
                got=exception.got,
                wanted=exception.wanted,
                next=exception.next,
            )
        elif isinstance(exception, Exception):
            self._events.error(
                f"process {trainer.global_rank} of {trainer.world_size}: "
                f"{type(exception).__name__}: {exception}".partition("\n")[0],
                trace=True,
            )

    # Stopping.

    def _wants_step(self, now_s: float) -> bool:
        """Whether this process knows of a request that does not wait for the end of the epoch."""
        if self._term:
            return True
        if now_s - self._looked_s < LOOK_S:
            return False
        assert self._attempt is not None
        self._looked_s = now_s
        request = self._attempt.read_stop()
        return request is not None and request.how != "epoch"

    def _is_asked(self, trainer: Any, asked: bool) -> bool:
        """What one process knows counts for all: they stop after the same step."""
        if trainer.world_size == 1:
            return asked
        return bool(trainer.strategy.reduce_boolean_decision(asked, all=False))

    def _is_due(self, trainer: Any, now_s: float) -> bool:
        every_s = self.save_every_s
        if every_s is None:
            return False
        due_s = self._saved_s + max(every_s, self._save_s * SAVE_SHARE)
        return self._is_asked(trainer, trainer.is_global_zero and now_s >= due_s)

    def _save(self, trainer: Any) -> None:
        assert self._attempt is not None and self._events is not None
        began_s = time.monotonic()
        partial = partial_path(self._attempt.out)
        with writing(partial):
            trainer.save_checkpoint(partial)
            if trainer.is_global_zero:
                keep(self._attempt.out)
        if trainer.is_global_zero:
            self._events.write(
                "checkpoint",
                path=CHECKPOINT.as_posix(),
                epoch=self.epochs_before + trainer.current_epoch,
                step=self.steps_before + trainer.global_step,
            )
        self._saved_s = time.monotonic()
        self._save_s = self._saved_s - began_s

    def _save_or_say_why_not(self, trainer: Any) -> None:
        """Without a new checkpoint a training can go on; the one before stands."""
        assert self._events is not None
        try:
            self._save(trainer)
        except CheckpointError as error:
            if trainer.world_size > 1:
                raise  # the other processes wait for this one
            self._saved_s = time.monotonic()
            self._events.write("note", text=f"{error.what}: {error.got}; the training goes on")

    def _save_and_stop(self, trainer: Any) -> None:
        assert self._attempt is not None
        self._save(trainer)
        request = self._attempt.read_stop()
        if request is None or (self._term and request.how == "epoch"):
            request = PARK_ON_TERM
        # It ends now: a TERM that comes once Lightning has put back what stood before must not
        # make it look like a process that was killed.
        handlers = trainer._signal_connector._original_handlers
        if handlers.get(signal.SIGTERM) is signal.SIG_DFL:
            handlers[signal.SIGTERM] = signal.SIG_IGN
        stop = StopRequested(request)
        if trainer.global_rank > 0 or "TORCHELASTIC_RUN_ID" in os.environ:
            # Who has started this process takes any other code for a failure, and kills the rest.
            stop.code = 0
        raise stop


def _validates(trainer: Any) -> bool:
    """Within a training, and not before it to see whether validation works."""
    return bool(trainer.state.fn == "fit" and not trainer.sanity_checking)


def _may_save(trainer: Any, batch_idx: int) -> bool:
    """Whether a training that goes on from here does not repeat or leave out samples.

    Others than the first process of several would have to be asked at every step.
    """
    exact = hasattr(trainer.train_dataloader, "load_state_dict") and trainer.world_size == 1
    return exact or batch_idx < trainer.accumulate_grad_batches


def _validates_next(trainer: Any, batch_idx: int) -> bool:
    """Whether a validation follows this step, as far as the number of the step tells."""
    every = trainer.val_check_batch  # None when validation goes by time
    if not every:
        return False
    whole = trainer.check_val_every_n_epoch is None
    done = trainer.fit_loop.total_batch_idx if whole else batch_idx
    return bool((done + 1) % every == 0)


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
