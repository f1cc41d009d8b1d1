"""Whether the system behind can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .wire import PORT


@dataclass(frozen=True)
class Health:
    """What an adapter tells of the system behind; the reason is for people."""

    state: str
    reason: str = ""

    @classmethod
    def ready(cls) -> Health:
        """Calls can be carried."""
        return cls("READY")

    @classmethod
    def degraded(cls, reason: str) -> Health:
        """Calls can be carried, with less than the full capacity."""
        return cls("DEGRADED", reason)

    @classmethod
    def down(cls, reason: str) -> Health:
        """Calls would fail."""
        return cls("DOWN", reason)

    def wire(self) -> Any:
        """As the port says it."""
        return PORT.HealthResponse(state=self.state, reason=self.reason)
