from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from jobs.training.fitting.device import DeviceError, Hardware, choose_engine  # noqa: E402

NONE = Hardware(cuda=False, bf16=False, tpu=False)
T4 = Hardware(cuda=True, bf16=False, tpu=False)
L4 = Hardware(cuda=True, bf16=True, tpu=False)
TPU = Hardware(cuda=False, bf16=False, tpu=True)
GPU = ("GPU-1",)


@pytest.mark.parametrize(
    ("hardware", "devices", "asked", "accelerator", "precision", "noted"),
    [
        (L4, GPU, "auto", "gpu", "bf16-mixed", False),
        (T4, GPU, "auto", "gpu", "16-mixed", False),
        (T4, GPU, "bf16-mixed", "gpu", "bf16-mixed", False),
        (L4, GPU, "32", "gpu", "32-true", False),
        (TPU, ("TPU-0",), "auto", "tpu", "bf16-true", False),
        (TPU, ("TPU-0",), "16-mixed", "tpu", "bf16-true", True),
        (TPU, ("TPU-0",), "32", "tpu", "32-true", False),
        (L4, ("simulated-0",), "auto", "cpu", "32-true", False),
        (L4, (), "16-mixed", "cpu", "bf16-mixed", True),
        (NONE, (), "bf16-mixed", "cpu", "bf16-mixed", False),
    ],
)
def test_precision_is_what_the_hardware_can(
    hardware: Hardware,
    devices: tuple[str, ...],
    asked: str,
    accelerator: str,
    precision: str,
    noted: bool,
) -> None:
    engine = choose_engine(asked, devices, hardware=hardware)
    assert (engine.accelerator, engine.precision) == (accelerator, precision)
    assert (engine.note is not None) == noted
    assert engine.device.type == {"gpu": "cuda", "tpu": "xla", "cpu": "cpu"}[accelerator]
    assert engine.devices == 1


def test_a_device_that_torch_does_not_see_is_refused() -> None:
    with pytest.raises(DeviceError, match="does not see") as caught:
        choose_engine("auto", GPU, hardware=NONE)
    assert "GPU-1" in str(caught.value)


@pytest.mark.parametrize(("devices", "count"), [(("GPU-1", "GPU-2"), 2), ((), 1)])
def test_devices_are_counted_up_to_as_many_as_may_be(devices: tuple[str, ...], count: int) -> None:
    assert choose_engine("auto", devices, most=2, hardware=L4).devices == count
    with pytest.raises(DeviceError, match="uses one device"):
        choose_engine("auto", ("GPU-1", "GPU-2"), hardware=L4)


def test_each_process_has_a_device_of_its_own() -> None:
    both = ("GPU-1", "GPU-2")
    engines = [choose_engine("auto", both, most=2, rank=rank, hardware=L4) for rank in (0, 1)]
    assert [str(engine.device) for engine in engines] == ["cuda:0", "cuda:1"]
    with pytest.raises(DeviceError, match="several cores of a TPU"):
        choose_engine("auto", ("TPU-0", "TPU-1"), most=2, hardware=TPU)


def test_the_cpu_is_not_asked_for_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    # The driver reads its environment once: a worker that has no device yet must not wake it.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("CUDA was asked"))
    assert choose_engine("auto", ()).accelerator == "cpu"
    assert choose_engine("auto", ("simulated-0",)).accelerator == "cpu"
