"""Why a call failed, in the few classes that decide what the bus may do next."""

from __future__ import annotations

from typing import Any

from .wire import PORT, duration

LONGEST = 1024  # characters of a fault's message


class Fault(Exception):
    """Raise one to refuse a call. Its message is for people: never personal data, never a secret.

    What is raised and is no Fault becomes `unknown`: the bus then looks the operation up, and never tries it again blindly.
    """

    def __init__(self, message: str, **kind: Any) -> None:
        super().__init__(message)
        self.message = message
        self._kind = kind

    def wire(self) -> Any:
        """As the port says it."""
        return PORT.Fault(message=self.message[:LONGEST], **self._kind)

    # The system behind understood and said no: the bus neither tries again nor takes it for a failure.

    @classmethod
    def invalid(cls, message: str) -> Fault:
        """The request itself is wrong."""
        return cls(message, rejected="INVALID")

    @classmethod
    def conflict(cls, message: str) -> Fault:
        """Somebody else changed it meanwhile."""
        return cls(message, rejected="CONFLICT")

    @classmethod
    def not_found(cls, message: str) -> Fault:
        """There is no such thing."""
        return cls(message, rejected="NOT_FOUND")

    @classmethod
    def denied(cls, message: str) -> Fault:
        """Not allowed."""
        return cls(message, rejected="DENIED")

    @classmethod
    def precondition(cls, message: str) -> Fault:
        """Not in the state that this needs."""
        return cls(message, rejected="PRECONDITION")

    # Nothing happened: the bus may try again, later or elsewhere.

    @classmethod
    def throttled(cls, message: str, retry_after_s: float) -> Fault:
        """The system behind asks for fewer calls."""
        return cls(message, throttled=PORT.Throttled(retry_after=duration(retry_after_s)))

    @classmethod
    def unavailable(cls, message: str, retry_after_s: float | None = None) -> Fault:
        """It could not be reached. Only where nothing can have happened: otherwise `unknown`."""
        retry_after = None if retry_after_s is None else duration(retry_after_s)
        return cls(message, unavailable=PORT.Unavailable(retry_after=retry_after))

    @classmethod
    def unauthenticated(cls, message: str) -> Fault:
        """It does not accept the adapter's credentials."""
        return cls(message, unauthenticated=PORT.Unauthenticated())

    @classmethod
    def unimplemented(cls, message: str) -> Fault:
        """This adapter does not serve that method."""
        return cls(message, unimplemented=PORT.Unimplemented())

    # The effect may have happened: the bus looks it up.

    @classmethod
    def deadline_exceeded(cls, message: str) -> Fault:
        """The deadline passed."""
        return cls(message, deadline_exceeded=PORT.DeadlineExceeded())

    @classmethod
    def unknown(cls, message: str) -> Fault:
        """It broke off after the effect may have happened, or its answer cannot be read."""
        return cls(message, unknown=PORT.Unknown())
