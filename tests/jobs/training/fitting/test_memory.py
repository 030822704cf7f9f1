"""Networks that do not fit, in real trainings on the CPU."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pytorch_lightning")

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import Tensor, nn

from jobs.training.fitting.memory import Memory, OutOfMemory, _parts, is_out_of_memory, part_fits

pytestmark = pytest.mark.torch


class Tight(nn.Module):
    """Lets at most `most` samples through at once, from its `calls`-th call on."""

    def __init__(self, most: int, calls: int = 1) -> None:
        super().__init__()
        self.most, self.calls = most, calls
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls -= 1
        if self.calls < 1 and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        self.sizes.append(len(x))
        return x


class TightBackward(Tight):
    """The same when the gradients are computed."""

    def forward(self, x: Tensor) -> Tensor:
        self.calls -= 1
        if self.calls < 1 and len(x) > self.most:
            x.register_hook(self.refuse)
        self.sizes.append(len(x))
        return x

    def refuse(self, gradient: Tensor) -> None:
        raise RuntimeError("CUDA error: out of memory")


class Model(pl.LightningModule):
    def __init__(self, gate: nn.Module, memory: Memory) -> None:
        super().__init__()
        torch.manual_seed(0)
        # The gate stands between two layers: a backward that fails there has been at the second.
        self.layers = nn.Sequential(nn.Linear(3, 4), gate, nn.Linear(4, 1))
        self.memory = memory
        self.losses: list[Tensor] = []
        self.rates: list[float] = []

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss = self.memory.train(
            self, batch, index, prepare=lambda given, number: given, loss_of=self.loss_of
        )
        self.losses.append(loss.detach())
        self.rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
        return loss

    def loss_of(self, part: dict[str, Tensor]) -> Tensor:
        outputs = self.layers(part["x"]) * part["scale"]
        return (outputs.squeeze(1) - part["y"]).square().mean()

    def backward(self, loss: Tensor) -> None:
        """The memory has done it."""

    def optimizer_zero_grad(self, *of: Any) -> None:
        """The memory does it."""

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Loader:
    """One buffer that every batch is written into, as a loader may do."""

    def __init__(self, size: int = 8, last: int = 5) -> None:
        self.sizes = [size] * 4 + [last]
        self.buffer = torch.empty(size, 3)

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Any:
        generator = torch.Generator().manual_seed(5)
        for size in self.sizes:
            x = self.buffer[:size]
            x.copy_(torch.randn(size, 3, generator=generator))
            yield {"x": x, "y": x.sum(1), "scale": torch.tensor(2.0)}
            self.buffer.fill_(torch.nan)


def fit(
    gate: Tight, said: list[str], loader: Loader | None = None, memory: Memory | None = None,
    **options: Any,
) -> Model:  # fmt: skip
    model = Model(gate, memory or Memory(said.append))
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(model, loader or Loader())
    return model


@functools.cache
def whole(accumulate: int) -> Model:
    """A training in which everything fits."""
    return fit(Tight(8), [], accumulate_grad_batches=accumulate)


@pytest.mark.parametrize("kind", [Tight, TightBackward])
@pytest.mark.parametrize(("accumulate", "calls"), [(1, 1), (1, 7), (2, 2), (3, 3), (3, 8)])
def test_a_batch_that_does_not_fit_is_computed_in_halves_and_nothing_else_changes(
    kind: Callable[..., Tight], accumulate: int, calls: int
) -> None:
    said: list[str] = []
    wanted = whole(accumulate)
    found = fit(kind(3, calls), said, accumulate_grad_batches=accumulate)
    assert found.global_step == wanted.global_step
    assert found.rates == wanted.rates
    for value, expected in zip(found.parameters(), wanted.parameters(), strict=True):
        assert torch.allclose(value, expected, rtol=1e-4, atol=1e-6)
    assert torch.allclose(torch.stack(found.losses), torch.stack(wanted.losses), rtol=1e-4)
    step = (
        (calls - 1) // accumulate if calls < 6 else -(-5 // accumulate) + (calls - 6) // accumulate
    )
    first, second = said
    assert first.startswith(f"out of memory with 8 pictures at once, in step {step}: goes on")
    assert "in parts of 4; it cost " in first and "with 4 pictures at once" in second


def test_half_precision_is_halved_too() -> None:
    said: list[str] = []
    wanted = fit(Tight(8), said, precision="bf16-mixed")
    found = fit(Tight(2), said, precision="bf16-mixed")
    assert len(said) == 2
    for value, expected in zip(found.parameters(), wanted.parameters(), strict=True):
        assert torch.allclose(value, expected, rtol=0.05, atol=0.02)


@pytest.mark.filterwarnings("ignore:Detected call of")  # the first steps overflow, and are none
def test_the_scaled_losses_of_fp16_are_added_up() -> None:
    """CUDA's precision, with the scaler that Lightning would take there, on the CPU."""

    def scaled() -> Any:
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40, growth_interval=3)
        return MixedPrecision("16-mixed", "cpu", scaler=scaler)

    said: list[str] = []
    plugins = [scaled(), scaled()]
    wanted = fit(Tight(8), said, plugins=plugins[:1])
    found = fit(Tight(4), said, plugins=plugins[1:])
    scales = [plugin.scaler.get_scale() for plugin in plugins]
    assert len(said) == 1 and scales[0] == scales[1] < 2.0**40  # it has overflowed at first
    for value, expected in zip(found.parameters(), wanted.parameters(), strict=True):
        assert torch.allclose(value, expected, rtol=0.05, atol=0.02)
    assert found.global_step == wanted.global_step


def test_what_was_halved_stays_so_in_what_goes_on() -> None:
    said: list[str] = []
    before = Memory(said.append)
    fit(Tight(2), said, memory=before)
    after = Memory(said.append)
    after.load_state_dict(before.state_dict())
    gate = Tight(2)
    fit(gate, said, memory=after)
    assert len(said) == 2 and set(gate.sizes) == {1, 2}


def test_it_gives_up_where_not_one_picture_fits() -> None:
    said: list[str] = []
    with pytest.raises(OutOfMemory, match="one picture at once do not fit in training") as caught:
        fit(Tight(0), said)
    assert "Tried to allocate" in str(caught.value.got)
    assert [line.partition(" pictures")[0] for line in said] == [
        f"out of memory with {count}" for count in (8, 4, 2)
    ]


def test_batch_normalisation_keeps_two() -> None:
    said: list[str] = []
    gate = Tight(3)
    gate.add_module("norm", nn.BatchNorm1d(4))
    fit(gate, said, Loader(size=10, last=3))
    assert min(gate.sizes) == 2 and max(gate.sizes) == 3  # three are not cut into two and one
    with pytest.raises(OutOfMemory, match="2 pictures, which batch norm needs"):
        gate.most = 1
        fit(gate, said)


def test_another_error_is_not_touched() -> None:
    class Broken(Tight):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("shapes do not match")

    said: list[str] = []
    with pytest.raises(RuntimeError, match="shapes do not match"):
        fit(Broken(8), said)
    assert said == []


def test_memory_that_the_machine_does_not_have_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(ValueError("out of memory"))


def test_a_validation_is_halved_alone() -> None:
    said: list[str] = []
    memory = Memory(said.append)
    inputs = torch.arange(14.0).reshape(7, 2)
    gate = Tight(2)
    assert torch.equal(memory.evaluate(inputs, gate), inputs)
    assert gate.sizes == [1] * 7 and len(said) == 2 and "7 pictures at once" in said[0]
    assert memory.state_dict() == {"training": None, "validation": 1}
    with pytest.raises(OutOfMemory, match="one picture does not fit in a validation"):
        memory.evaluate(inputs, Tight(0))


@given(st.integers(1, 200), st.none() | st.integers(1, 200), st.integers(1, 2))
def test_parts_are_the_whole_and_no_larger_than_they_may_be(
    size: int, limit: int | None, least: int
) -> None:
    parts = _parts(size, limit, least)
    assert [begin for begin, _ in parts] == [0, *(end for _, end in parts[:-1])]
    assert parts[-1][1] == size
    sizes = [end - begin for begin, end in parts]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= min(least, size)
    if limit is not None and (least == 1 or limit > 2):
        assert max(sizes) <= limit


def test_of_several_devices_none_computes_less_than_its_part() -> None:
    with pytest.raises(OutOfMemory, match="a batch of 32 does not fit on each of") as caught:
        with part_fits(32):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert caught.value.next is not None and "halve `batch_size`" in caught.value.next
    with pytest.raises(RuntimeError, match="shapes"), part_fits(32):
        raise RuntimeError("shapes cannot be multiplied")
