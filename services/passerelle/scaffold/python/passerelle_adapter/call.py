"""What travels with a call besides its request."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field

from .contract import Method


class CallOver(Exception):
    """Nobody waits for this call any more. Let it pass through: the server knows."""


@dataclass
class Call:
    """One call, as a function of the adapter sees it."""

    method: Method
    idempotency_key: str  # the caller's name for "this very operation"; empty: none
    deadline: float | None  # of `time.monotonic`, in seconds
    traceparent: str  # W3C trace context of the bus's span, to hand on; empty: none
    tracestate: str
    fingerprint: bytes = b""  # of method and request (not of a stream): the same key must come with the same
    over: threading.Event = field(default_factory=threading.Event, repr=False)  # set when nobody waits any more

    def time_left(self) -> float | None:
        """Seconds until the caller stops waiting."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Sleeps in a plain function; raises CallOver as soon as nobody waits any more."""
        if self.over.wait(seconds):
            raise CallOver


def fingerprint(method: str, request: bytes) -> bytes:
    """Tells requests apart without keeping them."""
    return hashlib.sha256(method.encode() + b"\0" + request).digest()
