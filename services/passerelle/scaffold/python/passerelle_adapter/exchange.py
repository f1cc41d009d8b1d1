"""The two streams of one call: what the bus sends, what the adapter sends, and the credits that either side has."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from .call import CallOver
from .fault import Fault
from .wire import PORT

class Broken(Exception):
    """The bus did what the port forbids: the call is cut off with this status."""

    def __init__(self, code: grpc.StatusCode, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class Exchange:
    """Reads in a task of its own, so that credits and the end of a call are noticed whatever the adapter does."""

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], message_bytes: int, first_credits: int) -> None:
        self._context = context
        self._message_bytes = message_bytes
        self._bus_may_send = first_credits
        self._adapter_may_send = 0
        self._coming: list[bytes] = []
        self._request_ended = False
        self._is_over = False
        self._changed = asyncio.Condition()
        self._writing = asyncio.Lock()  # grpcio takes one message at a time

    async def start(self) -> Any:
        """The beginning of the call."""
        first = await self._context.read()
        if first is grpc.aio.EOF or first.WhichOneof("what") != "start":
            raise Broken(grpc.StatusCode.INVALID_ARGUMENT, "a call begins with `start`")
        start = first.start
        if start.credits == 0:
            raise Broken(grpc.StatusCode.INVALID_ARGUMENT, "`start` gives at least one credit")
        self._adapter_may_send = start.credits
        if start.HasField("message"):
            self._take(start.message)
        return start

    async def read(self) -> None:
        """Takes what the bus sends until it closes its side. Raises what the port forbids."""
        while (request := await self._context.read()) is not grpc.aio.EOF:
            async with self._changed:
                match request.WhichOneof("what"):
                    case "message":
                        self._take(request.message)
                    case "credit" if request.credit.messages > 0:
                        self._adapter_may_send += request.credit.messages
                    case "credit":
                        raise Broken(grpc.StatusCode.INVALID_ARGUMENT, "a credit is for at least one message")
                    case "end":
                        self._request_ended = True  # its side stays open for credit
                    case "start":
                        raise Broken(grpc.StatusCode.INVALID_ARGUMENT, "a call begins once")
                    case _:
                        pass  # a newer bus may say what this version does not know
                self._changed.notify_all()
        async with self._changed:
            self._request_ended = True
            self._changed.notify_all()

    async def next(self) -> bytes | None:
        """The next message of the request; `None` at its end. Gives credit for another one."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._coming or self._request_ended or self._is_over)
            if self._is_over:
                raise CallOver
            if not self._coming:
                return None
            message = self._coming.pop(0)
            self._bus_may_send += 1
        await self._write(PORT.CallResponse(credit=PORT.Credit(messages=1)))
        return self._fitting(message)

    async def one(self) -> bytes:
        """The one message of a method that takes one.

        Does not wait for the end of the request: the bus may keep its side open to give credit.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._coming or self._request_ended)
            if not self._coming:
                raise Fault.invalid("the request has no message, this method takes one")
            if len(self._coming) > 1:
                raise Fault.invalid("the request has several messages, this method takes one")
            return self._fitting(self._coming[0])

    async def send(self, message: bytes) -> None:
        """Sends one message of the answer, when there is credit."""
        self._fitting(message)
        async with self._changed:
            await self._changed.wait_for(lambda: self._adapter_may_send > 0 or self._is_over)
            if self._is_over:
                raise CallOver
            self._adapter_may_send -= 1
        await self._write(PORT.CallResponse(message=message))

    async def finish(self, fault: Fault | None) -> None:
        """The last word; what still wants to send or to take is told that the call is over."""
        await self.close()
        last = PORT.CallResponse(end=PORT.End()) if fault is None else PORT.CallResponse(fault=fault.wire())
        async with self._writing:
            await self._context.write(last)

    async def close(self) -> None:
        """Wakes what waits here."""
        async with self._changed:
            self._is_over = True
            self._changed.notify_all()

    async def _write(self, response: Any) -> None:
        async with self._writing:
            if self._is_over:  # nothing comes after the last word
                raise CallOver
            await self._context.write(response)

    def _take(self, message: bytes) -> None:
        if self._bus_may_send == 0:
            raise Broken(grpc.StatusCode.RESOURCE_EXHAUSTED, "a message came for which there was no credit")
        self._bus_may_send -= 1
        self._coming.append(message)

    def _fitting(self, message: bytes) -> bytes:
        if len(message) > self._message_bytes:
            raise Fault.invalid(f"a message of {len(message)} bytes; this adapter takes and gives {self._message_bytes} at most")
        return message
