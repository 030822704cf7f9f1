"""A base class of callbacks for either name of Lightning: `pytorch_lightning`, `lightning.pytorch`.

Both can be installed in one environment; their classes are not each other's, and a Trainer wants
callbacks of its own. Which one a program uses is known when it makes the callback, not when it
imports this.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytorch_lightning.callbacks import Callback as Base
else:
    Base = object

MODULES = ("pytorch_lightning.callbacks", "lightning.pytorch.callbacks")


class AnyLightning(Base):
    """Its instances are callbacks of every Lightning that this process has imported."""

    def __new__(cls, *args: Any, **options: Any) -> AnyLightning:
        own: Any = cls
        made: AnyLightning = super().__new__(_known_to(own, _imported()))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """The class was made in this process: another one (`ddp_spawn`) makes its own."""
        return _revived, (type(self)._plain,), dict(self.__dict__)


def _imported() -> tuple[type, ...]:
    """Lightning's Callback, once for each that was imported; the installed one's if none was."""
    found = [sys.modules[name] for name in MODULES if name in sys.modules]
    if not found:
        try:
            found = [importlib.import_module(MODULES[0])]
        except ModuleNotFoundError:
            found = [importlib.import_module(MODULES[1])]
    return tuple(module.Callback for module in found)


@functools.cache
def _known_to(cls: Any, bases: tuple[type, ...]) -> Any:
    """A class of the same name that is one of `bases` as well."""
    own = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "_plain": cls}
    return cls if hasattr(cls, "_plain") else type(cls.__name__, (cls, *bases), own)


def _revived(cls: type[AnyLightning]) -> AnyLightning:
    return cls.__new__(cls)
