"""Receiving: what comes from the system behind is handed over until it is taken, no faster than the bus asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message

from .wire import PORT, moment

CREDITS_MAX = 1 << 31  # beyond, credits are as good as enough


class ReceivingOver(Exception):
    """Nobody takes what comes any more. Let it pass through: the next stream begins anew."""


@dataclass(frozen=True)
class Received:
    """Something that came."""

    id: str  # names it for ever, 1 to 256 bytes: handed over again it has the same, and is taken once
    message: Message  # of the contract
    subject: str = ""  # what it is about; what has the same subject stays in order
    time: float | None = None  # when it happened there, in seconds since 1970


@dataclass
class Receiving:
    """One hand-over, as `Adapter.receive` sees it."""

    over: threading.Event = field(default_factory=threading.Event, repr=False)  # set when nobody takes any more

    def pause(self, seconds: float) -> None:
        """Sleeps between looks; raises ReceivingOver as soon as nobody takes any more."""
        if self.over.wait(seconds):
            raise ReceivingOver


class HandOver:
    """One stream of `Open`: the adapter's generator in a thread of its own, what the bus says in this task."""

    def __init__(self, context: Any, adapter: Any, ask: Callable[..., Awaitable[Any]]) -> None:
        self._context = context
        self._adapter = adapter
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._receiving = Receiving()
        self._credits = 0
        self._unsettled: set[str] = set()
        self._changed = asyncio.Condition()
        self._handed = self._loop.create_future()  # when the generator's thread has ended
        self._ended = asyncio.Event()
        self._superseded = asyncio.Event()

    async def run(self, before: HandOver | None, draining: asyncio.Event) -> None:
        """Hands over until the bus goes, another stream comes, or the adapter drains; the stream before has ended first."""
        tasks: list[asyncio.Task[Any]] = []
        try:
            # So that the bus knows at once that it is listened to.
            await self._context.send_initial_metadata(())
            if before:
                before._superseded.set()
                await before._ended.wait()
            self._begin()
            handing = asyncio.create_task(_finished(self._handed))
            reading = asyncio.create_task(self._read())
            superseded = asyncio.create_task(self._superseded.wait())
            drained = asyncio.create_task(draining.wait())
            tasks = [handing, reading, superseded, drained]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._stop()
            if superseded in done:
                await self._context.abort(grpc.StatusCode.ABORTED, "another stream has taken over")
            if drained in done:
                await self._context.abort(grpc.StatusCode.UNAVAILABLE, "the adapter is draining")
            if reading in done and (wrong := reading.result()):
                await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, wrong)
            if handing in done:
                error = self._handed.result()
                why = f"receiving failed ({type(error).__name__})" if error else "the adapter has stopped receiving"
                await self._context.abort(grpc.StatusCode.UNAVAILABLE, why)
        finally:
            for task in tasks:
                task.cancel()
            # The stream may be cancelled, its thread only told: it is waited for elsewhere.
            self._leaving = self._loop.create_task(self._leave(bool(tasks)))

    async def _leave(self, is_begun: bool) -> None:
        await self._stop() if is_begun else None
        self._ended.set()

    async def _stop(self) -> None:
        self._receiving.over.set()
        async with self._changed:
            self._changed.notify_all()
        await asyncio.wait([self._handed])

    async def _read(self) -> str | None:
        """What the bus says, to its end; or what it did wrong."""
        while (request := await self._context.read()) is not grpc.aio.EOF:
            match request.WhichOneof("what"):
                case "credit":
                    async with self._changed:
                        self._credits = min(self._credits + request.credit.messages, CREDITS_MAX)
                        self._changed.notify_all()
                case "taken" if request.taken.id in self._unsettled:
                    self._unsettled.discard(request.taken.id)
                    await self._ask(self._adapter.taken, request.taken.id)
                case "refused" if request.refused.id in self._unsettled:
                    self._unsettled.discard(request.refused.id)
                    await self._ask(self._adapter.refused, request.refused.id, request.refused.reason)
                case "taken" | "refused":
                    return "what was settled was not handed over on this stream, or is settled already"
                case _:
                    pass  # a newer bus may say what this version does not know
        return None

    def _begin(self) -> None:
        def run() -> None:
            error: BaseException | None = None
            try:
                self._hand_over()
            except ReceivingOver:
                pass
            except BaseException as failed:  # noqa: BLE001, told to whoever waits
                error = failed
            self._loop.call_soon_threadsafe(self._handed.set_result, error)

        threading.Thread(target=run, name="receive", daemon=True).start()

    def _hand_over(self) -> None:
        coming = iter(self._adapter.receive(self._receiving))
        try:
            # Looked for only when there is room for it.
            while self._wait(self._credit()) and (received := next(coming, None)) is not None:
                self._wait(self._send(received))
        finally:
            if close := getattr(coming, "close", None):
                close()

    async def _credit(self) -> bool:
        async with self._changed:
            await self._changed.wait_for(lambda: self._credits > 0 or self._receiving.over.is_set())
            return not self._receiving.over.is_set()

    async def _send(self, received: Received) -> None:
        self._credits -= 1
        self._unsettled.add(received.id)
        message = PORT.Received(
            id=received.id,
            type=received.message.DESCRIPTOR.full_name,
            subject=received.subject,
            data=received.message.SerializeToString(),
        )
        if received.time is not None:
            message.time.CopyFrom(moment(received.time))
        await self._context.write(PORT.OpenResponse(received=message))

    def _wait(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()


async def _finished(future: asyncio.Future[Any]) -> None:
    await asyncio.wait([future])
