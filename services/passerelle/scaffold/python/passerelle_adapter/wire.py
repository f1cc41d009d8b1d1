"""The messages of the port, and their helpers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import message_factory

from .contract import Contract

PORT = Contract.load(Path(__file__).parent.parent / "proto", "passerelle/adapter/v1/adapter.proto")
_DURATION: Any = message_factory.GetMessageClass(PORT.DrainRequest.DESCRIPTOR.fields_by_name["grace"].message_type)
_MOMENT: Any = message_factory.GetMessageClass(PORT.Received.DESCRIPTOR.fields_by_name["time"].message_type)

SERVICE = "passerelle.adapter.v1.Adapter"
VERSION = 1  # of the port


def duration(seconds: float) -> Any:
    """A google.protobuf.Duration."""
    nanos = round(max(seconds, 0.0) * 1e9)
    return _DURATION(seconds=nanos // 10**9, nanos=nanos % 10**9)


def moment(seconds: float) -> Any:
    """A google.protobuf.Timestamp."""
    nanos = round(seconds * 1e9)
    return _MOMENT(seconds=nanos // 10**9, nanos=nanos % 10**9)


def seconds(duration: Any) -> float:
    """The seconds in a google.protobuf.Duration."""
    return float(duration.seconds + duration.nanos / 1e9)
