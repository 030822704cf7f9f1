"""Which devices train, and in which precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec

import torch

from skint.errors import SkintError

SIMULATED = "simulated"
"""What the names of devices begin with that stand for an accelerator on a machine without one."""


class DeviceError(SkintError):
    """The devices that the job was given are not there, or are more than it can use."""


@dataclass(frozen=True)
class Hardware:
    """What torch can use here."""

    cuda: bool
    bf16: bool
    """Whether the CUDA device computes in bfloat16 itself."""
    tpu: bool

    @classmethod
    def seen(cls) -> Hardware:
        """What this process sees; not to be asked before the attempt has its devices."""
        cuda = torch.cuda.is_available()
        bf16 = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(cuda, bf16, tpu=not cuda and find_spec("torch_xla") is not None)


@dataclass(frozen=True)
class Engine:
    """What Lightning is told about the hardware."""

    accelerator: str
    """`gpu`, `tpu` or `cpu`."""
    precision: str
    """Lightning's name for it."""
    note: str | None = None
    """A sentence for the person where it is not what they asked for."""
    devices: int = 1
    """Each gets a copy of the network and its share of every batch."""
    rank: int = 0
    """Which of them is this process's."""

    @property
    def device(self) -> torch.device:
        if self.accelerator == "gpu" and self.devices > 1:
            return torch.device("cuda", self.rank)
        return torch.device({"gpu": "cuda", "tpu": "xla"}.get(self.accelerator, "cpu"))

    @property
    def autocast(self) -> torch.dtype | None:
        """The half precision that mixed precision computes in; None in full precision."""
        return {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}.get(self.precision)


def choose_engine(
    precision: str,
    devices: tuple[str, ...],
    *,
    most: int = 1,
    rank: int = 0,
    hardware: Hardware | None = None,
) -> Engine:
    """The engine for a recipe's `precision` on the devices of the attempt, at most `most`, for its
    process number `rank`.

    No device or simulated ones mean the CPU. Raises DeviceError where there are too many, or where
    a real device was given and torch does not see one.
    """
    if len(devices) > most:
        raise DeviceError(
            f"train uses {'one device' if most == 1 else f'at most {most} devices'}",
            got=f"{len(devices)} devices",
            wanted=f"devices: {most}",
        )
    count = max(1, len(devices))
    real = real_devices(devices)
    if not real:
        return replace(_on_cpu(precision, count), rank=rank)
    hardware = hardware or Hardware.seen()
    if hardware.cuda:
        half = "bf16-mixed" if hardware.bf16 else "16-mixed"
        return Engine("gpu", _named(precision, auto=half), devices=count, rank=rank)
    if hardware.tpu:
        if count > 1:
            raise DeviceError(
                "several cores of a TPU in one training are not supported",
                got=f"{count} devices",
                wanted="devices: 1",
            )
        return _on_tpu(precision)
    raise DeviceError(
        "torch does not see the accelerator that this job holds",
        got=f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}",
        wanted=f"a build of torch for device {real[0]}",
    )


def real_devices(devices: tuple[str, ...]) -> tuple[str, ...]:
    """Without the simulated ones."""
    return tuple(name for name in devices if not name.startswith(SIMULATED))


def _on_cpu(precision: str, count: int) -> Engine:
    if precision == "16-mixed":
        note = (
            "precision 16-mixed needs a real accelerator; this CPU computes in bf16-mixed instead"
        )
        return Engine("cpu", "bf16-mixed", note, count)
    return Engine("cpu", _named(precision, auto="32-true"), devices=count)


def _on_tpu(precision: str) -> Engine:
    """Lightning has no mixed precision for XLA: bfloat16 stands for all of it."""
    if precision == "32":
        return Engine("tpu", "32-true")
    note = f"precision {precision} is bf16-true on a TPU, which has no mixed precision"
    return Engine("tpu", "bf16-true", None if precision == "auto" else note)


def _named(precision: str, *, auto: str) -> str:
    return {"auto": auto, "32": "32-true"}.get(precision, precision)
