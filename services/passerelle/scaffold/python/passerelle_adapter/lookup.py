"""What became of an operation whose answer was lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .wire import PORT


@dataclass(frozen=True)
class Lookup:
    """What a look-up found."""

    _what: dict[str, Any] = field(repr=False)

    @classmethod
    def done(cls, answer: bytes) -> Lookup:
        """It had its effect; this is the answer that was given, or would have been."""
        return cls({"done": answer})

    @classmethod
    def not_done(cls) -> Lookup:
        """It has had no effect: it may be asked for again, under the same key."""
        return cls({"not_done": PORT.NotDone()})

    @classmethod
    def undecided(cls) -> Lookup:
        """It cannot be told, not even by looking: a person has to."""
        return cls({"undecided": PORT.Undecided()})

    def wire(self) -> Any:
        """As the port says it."""
        return PORT.LookupResponse(**self._what)
