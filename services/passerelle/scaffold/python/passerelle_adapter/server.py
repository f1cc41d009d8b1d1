"""The service of the port: the handshake, the settings, the calls, and what is asked besides."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from .adapter import Adapter, served
from .call import Call
from .exchange import Broken, Exchange
from .fault import Fault
from .health import Health
from .receive import HandOver
from .settings import SettingsError, parse, schema
from .wire import PORT, SERVICE, VERSION, seconds
from .work import Work

KEY_BYTES = 256  # of an idempotency key at most
HEALTH_WITHIN_S = 0.9
LOOKUP_WITHIN_S = 10.0
COME_BACK_S = 0.1  # what is told to who calls while all threads are taken

log = logging.getLogger("passerelle_adapter")


class Server:
    """Serves one adapter."""

    def __init__(self, adapter: Adapter[Any]) -> None:
        self._adapter = adapter
        self._served = served(adapter)
        self._threads = ThreadPoolExecutor(adapter.limits.calls, "call")
        self._asking = ThreadPoolExecutor(4, "ask")  # so that health and look-up do not wait for calls
        self._configured: tuple[Any, Any] | None = None  # what was asked, what was answered
        self._configuring = asyncio.Lock()
        self._draining = False
        self._drained = asyncio.Event()
        self._hand_over: HandOver | None = None  # the newest one
        self._cut_off = asyncio.Event()
        self._flight: set[asyncio.Future[Any]] = set()  # one for each call, done when it is gone
        self._keys: dict[str, Work] = {}  # under which something runs

    def handlers(self) -> grpc.GenericRpcHandler:
        """What grpcio needs to know."""

        def unary(function: Any, request: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(function, request.FromString, _serialized)

        streams = grpc.stream_stream_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Describe": unary(self.describe, PORT.DescribeRequest),
                "Configure": unary(self.configure, PORT.ConfigureRequest),
                "Call": streams(self.call, PORT.CallRequest.FromString, _serialized),
                "Lookup": unary(self.lookup, PORT.LookupRequest),
                "Open": streams(self.open, PORT.OpenRequest.FromString, _serialized),
                "Health": unary(self.health, PORT.HealthRequest),
                "Drain": unary(self.drain, PORT.DrainRequest),
            },
        )

    async def describe(self, request: Any, context: Any) -> Any:
        """The handshake."""
        if VERSION not in request.versions:
            asked = ", ".join(map(str, request.versions)) or "none"
            why = f"this adapter speaks version {VERSION} of the port, the bus {asked}"
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, why)
        adapter = self._adapter
        about = {"kind": adapter.kind, "release": adapter.release, "summary": adapter.summary}
        return PORT.DescribeResponse(version=VERSION, settings_schema=schema(adapter.settings), **about)

    async def configure(self, request: Any, context: Any) -> Any:
        """The settings, once."""
        async with self._configuring:
            try:
                settings = parse(self._adapter.settings, request.settings)
                asked = (request.endpoint, json.loads(request.settings or "{}"))
                if self._configured is None:
                    await self._ask(self._adapter.open, request.endpoint, settings)
                    self._configured = (asked, self._speaks())
                    log.info("configured as %s", request.endpoint)
            except (SettingsError, ValueError) as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except Exception as error:
                log.error("open failed: %s", where(error))
                await context.abort(grpc.StatusCode.INTERNAL, f"the adapter failed to open ({type(error).__name__})")
            held, answer = self._configured or (asked, None)
            if held != asked:
                why = f"this process serves the endpoint {held[0]} with its settings; other ones need a process of their own"
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, why)
            return answer

    async def call(self, _requests: Any, context: Any) -> None:
        """One call."""
        limits = self._adapter.limits
        exchange = Exchange(context, limits.message_bytes, limits.first_credits)
        try:
            start = await exchange.start()
            refusal = self._refusal(start)
            await exchange.finish(refusal) if refusal else await self._carry(start, exchange, context)
        except Broken as broken:
            await exchange.close()
            await context.abort(broken.code, broken.why)

    async def lookup(self, request: Any, context: Any) -> Any:
        """What became of an operation."""
        try:
            refusal = self._refusal_of_key(request.idempotency_key) if self._configured else _no_settings()
            if refusal and self._adapter.looks_up():
                raise refusal
            if work := self._keys.get(request.idempotency_key):
                await asyncio.wait([work.ended], timeout=LOOKUP_WITHIN_S)
                if not work.ended.done():
                    raise Fault.unavailable("the operation is still under way", LOOKUP_WITHIN_S)
            found = await self._ask(self._adapter.lookup, request.idempotency_key)
            return found.wire()
        except Fault as fault:
            return PORT.LookupResponse(fault=fault.wire())
        except Exception as error:
            log.error("look-up failed: %s", where(error))
            failed = Fault.unavailable(f"the adapter failed to look ({type(error).__name__}); its log says where")
            return PORT.LookupResponse(fault=failed.wire())

    async def open(self, _requests: Any, context: Any) -> None:
        """What comes from the system behind, on one stream at a time."""
        if not self._adapter.receives():
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this adapter does not receive")
        if self._configured is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the adapter has no settings yet")
        before, self._hand_over = self._hand_over, HandOver(context, self._adapter, self._ask)
        await self._hand_over.run(before, self._drained)

    async def health(self, _request: Any, context: Any) -> Any:
        """The system behind, within a second."""
        if self._configured is None:
            return Health.down("it has no settings yet").wire()
        if self._draining:
            return Health.down("it is draining").wire()
        try:
            found = await asyncio.wait_for(self._ask(self._adapter.health), HEALTH_WITHIN_S)
        except TimeoutError:
            found = Health.down(f"the system behind says nothing within {HEALTH_WITHIN_S} s")
        except Exception as error:
            found = Health.down(f"the adapter failed ({type(error).__name__})")
            log.error("health failed: %s", where(error))
        return found.wire()

    async def drain(self, request: Any, context: Any) -> Any:
        """Ends what is in flight."""
        return PORT.DrainResponse(cut_off=await self.end_calls(seconds(request.grace)))

    async def end_calls(self, grace_s: float) -> int:
        """Takes no further call; after the grace cuts off what has not ended, and tells how many."""
        self._draining = True
        self._drained.set()
        if self._flight:
            await asyncio.wait(self._flight, timeout=max(grace_s, 0.0))
        cut_off = len(self._flight)
        if cut_off:
            self._cut_off.set()
        return cut_off

    def _speaks(self) -> Any:
        limits = self._adapter.limits
        contracts = [
            PORT.Contract(
                name=contract.name,
                files=[PORT.ProtoFile(path=path, text=text) for path, text in contract.files.items()],
            )
            for contract in self._adapter.contracts
        ]
        return PORT.ConfigureResponse(
            contracts=contracts,
            idempotent=[name for name, served in self._served.items() if served.method.idempotent],
            behind=self._adapter.behind,
            abilities=PORT.Abilities(lookup=self._adapter.looks_up(), receive=self._adapter.receives(), request_end=True),
            limits=PORT.Limits(
                message_bytes=limits.message_bytes, calls=limits.calls, first_credits=limits.first_credits
            ),
        )

    def _refusal(self, start: Any) -> Fault | None:
        if self._configured is None:
            return _no_settings()
        if self._draining:
            return Fault.unavailable("the adapter is draining")
        if start.method not in self._served:
            return Fault.unimplemented(f"there is no such method (there are: {', '.join(self._served)})")
        if len(self._flight) >= self._adapter.limits.calls:
            return Fault.throttled(f"{self._adapter.limits.calls} calls are in flight, no more are taken", COME_BACK_S)
        return self._refusal_of_key(start.idempotency_key) if start.idempotency_key else None

    def _refusal_of_key(self, key: str) -> Fault | None:
        if not key:
            return Fault.invalid("the idempotency key is empty")
        if len(key.encode()) > KEY_BYTES:
            return Fault.invalid(f"the idempotency key is longer than {KEY_BYTES} bytes")
        return None

    async def _carry(self, start: Any, exchange: Exchange, context: Any) -> None:
        served = self._served[start.method]
        left = context.time_remaining()
        metadata = {name: value for name, value in context.invocation_metadata() or ()}
        call = Call(
            method=served.method,
            idempotency_key=start.idempotency_key,
            deadline=None if left is None else time.monotonic() + left,
            traceparent=str(metadata.get("traceparent", "")),
            tracestate=str(metadata.get("tracestate", "")),
        )
        work = Work(served, call, exchange, self._threads)
        gone = asyncio.get_running_loop().create_future()
        self._flight.add(gone)
        running = asyncio.create_task(self._run(work, call, exchange))
        running.add_done_callback(lambda _: work.leave())
        reading = asyncio.create_task(exchange.read())
        cutting = asyncio.create_task(self._cut_off.wait())
        try:
            # A little before the deadline: at the deadline itself nothing can be said any more.
            until = None if left is None else time.monotonic() + left - min(0.01, left / 10)
            waited = {running, reading, cutting}
            while running in waited and not cutting.done():
                timeout = None if until is None else until - time.monotonic()
                done, waited = await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if reading in done and running in waited:
                    reading.result()
                if not done:
                    break
            await exchange.finish(_outcome(running, cutting.done()))
        finally:
            work.tell_that_it_is_over()
            await exchange.close()
            for task in (running, reading, cutting):
                task.add_done_callback(_forget)
                task.cancel()
            # In flight until it is answered and its function has ended.
            work.ended.add_done_callback(gone.set_result)
            gone.add_done_callback(self._flight.discard)

    async def _run(self, work: Work, call: Call, exchange: Exchange) -> None:
        key = call.idempotency_key
        while other := self._keys.get(key):
            await asyncio.wait([other.ended])
        if key:
            self._keys[key] = work
            work.ended.add_done_callback(lambda _: self._keys.pop(key, None))
        await work.run(None if call.method.takes_stream else await exchange.one())

    async def _ask(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._asking, function, *arguments)


def _outcome(running: asyncio.Task[None], cut_off: bool) -> Fault | None:
    """What a call ends with."""
    if not running.done():
        if cut_off:
            return Fault.unknown("the call was cut off: the adapter is draining, and the grace is over")
        return Fault.deadline_exceeded("the deadline passed before the adapter had its answer")
    try:
        running.result()
        return None
    except Broken:
        raise
    except Fault as fault:
        return fault
    except Exception as error:
        log.error("a call failed: %s", where(error))
        return Fault.unknown(f"the adapter failed ({type(error).__name__}); its log says where")


def where(error: BaseException) -> str:
    """An error for the log: its type and place. Not its words, which may hold personal data or secrets."""
    places = traceback.extract_tb(error.__traceback__)
    steps = (f"{Path(place.filename).name}:{place.lineno}" for place in reversed(places[-4:]))
    return f"{type(error).__name__} at {' < '.join(steps)}"


def _forget(task: asyncio.Task[Any]) -> None:
    # Looked at, so that asyncio does not complain of an outcome that nobody waits for.
    if not task.cancelled():
        task.exception()


def _no_settings() -> Fault:
    return Fault.unavailable("the adapter has no settings yet")


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())
