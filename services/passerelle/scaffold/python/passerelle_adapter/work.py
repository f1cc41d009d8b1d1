"""Runs the function of one method: a plain one in a thread, an async one on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from google.protobuf.message import DecodeError

from .adapter import Served
from .call import Call, CallOver, fingerprint
from .exchange import Exchange
from .fault import Fault


class Work:
    """One call's function, running. It ends by itself: a thread cannot be stopped, only told."""

    def __init__(self, served: Served, call: Call, exchange: Exchange, threads: Executor) -> None:
        self._served = served
        self._call = call
        self._exchange = exchange
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._is_in_a_thread = False
        self.ended = self._loop.create_future()  # not before the function has returned, even when nobody waits for it any more

    async def run(self, first: bytes | None) -> None:
        """Runs it to its end; `first` is the request of a method that takes one message."""
        self._call.fingerprint = fingerprint(self._served.method.full_name, first or b"")
        if self._served.is_async:
            await self._on_the_loop(self._request(first))
            return
        running = self._threads.submit(self._in_a_thread, first)
        self._is_in_a_thread = True
        running.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self.ended.set_result, None))
        await asyncio.wrap_future(running)

    def leave(self) -> None:
        """The task that ran it is over: so is the function, unless a thread has it."""
        if not self._is_in_a_thread:
            self.ended.set_result(None)

    def tell_that_it_is_over(self) -> None:
        """Lets pauses, and whatever else looks at the call, know that nobody waits."""
        self._call.over.set()

    async def _on_the_loop(self, request: Any) -> None:
        answers = self._served.function(request, self._call)
        if not self._served.method.gives_stream:
            await self._exchange.send(self._bytes(await answers))
            return
        async for answer in answers:
            await self._exchange.send(self._bytes(answer))

    def _in_a_thread(self, first: bytes | None) -> None:
        if self._call.over.is_set():
            raise CallOver  # it waited for a thread, and nothing has happened yet
        answers = self._served.function(self._request(first), self._call)
        if not self._served.method.gives_stream:
            self._wait(lambda: self._exchange.send(self._bytes(answers)))
            return
        try:
            for answer in answers:
                self._wait(lambda: self._exchange.send(self._bytes(answer)))  # noqa: B023, waited for within the turn
        finally:
            if close := getattr(answers, "close", None):  # a generator has one, another iterable need not
                close()

    def _request(self, first: bytes | None) -> Any:
        if first is not None:
            return self._parse(first)
        return self._requests_on_the_loop() if self._served.is_async else self._requests_in_a_thread()

    async def _requests_on_the_loop(self) -> AsyncIterator[Any]:
        while (message := await self._exchange.next()) is not None:
            yield self._parse(message)

    def _requests_in_a_thread(self) -> Iterator[Any]:
        while (message := self._wait(self._exchange.next)) is not None:
            yield self._parse(message)

    def _wait(self, what: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result()

    def _parse(self, message: bytes) -> Any:
        try:
            return self._served.method.request.FromString(message)
        except DecodeError:
            raise Fault.invalid(f"the message is no {self._served.method.request.DESCRIPTOR.full_name}") from None

    def _bytes(self, answer: Any) -> bytes:
        wanted = self._served.method.response
        if not isinstance(answer, wanted):
            raise TypeError(f"the function gives {type(answer).__name__}, the contract says {wanted.DESCRIPTOR.full_name}")
        return bytes(answer.SerializeToString())
