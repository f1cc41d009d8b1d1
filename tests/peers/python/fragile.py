"""A back office over grpcio that bears only what its envelope says, and counts every breach. Prints "listening PORT".

Arguments: CONCURRENCY RATE_PER_SECOND BURST. What it has begun it ends, even when the caller breaks off: its places are taken until then,
as with a transaction on a mainframe. Messages are protobuf with one string field, written by hand, so that no stubs are needed.
"""

import asyncio
import collections
import json
import sys
import time

import grpc


class Ledger:
    def __init__(self, concurrency, rate, burst):
        self.concurrency = concurrency
        # The network and the loop of this very process bunch what was sent evenly: a quarter of a second's worth is no breach.
        self.in_a_second = rate + burst + rate / 4
        self.behaviour = {"work_ms": 20, "mode": "well"}
        self.working = 0
        self.arrivals = collections.deque()
        self.seen = collections.Counter()
        self.attempts = collections.defaultdict(list)

    def arrived(self):
        now = time.monotonic()
        self.arrivals.append(now)
        while self.arrivals[0] < now - 1:
            self.arrivals.popleft()
        self.working += 1
        self.seen["calls"] += 1
        self.seen["most_at_a_time"] = max(self.seen["most_at_a_time"], self.working)
        self.seen["most_in_a_second"] = max(self.seen["most_in_a_second"], len(self.arrivals))
        self.seen["too_many_at_a_time"] += self.working > self.concurrency
        self.seen["too_many_in_a_second"] += len(self.arrivals) > self.in_a_second

    async def work(self):
        try:
            await asyncio.sleep(self.behaviour["work_ms"] / 1000)
        finally:
            self.working -= 1

    async def book(self, request, context):
        self.arrived()
        mode = self.behaviour["mode"]
        # A task of its own: a caller that goes away does not end it.
        await asyncio.shield(asyncio.ensure_future(self.work()))
        if mode == "failing":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the ledger is being repaired")
        if mode == "throttling":
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "the ledger is busy")
        if mode == "silent":
            await asyncio.sleep(3600)
        return request

    async def flaky(self, request, context):
        """Fails as often as the request says, then answers how often it was called, and what each attempt said of those before."""
        case = json.loads(text_of(request))
        said = [value for name, value in context.invocation_metadata() if name == "grpc-previous-rpc-attempts"]
        attempts = self.attempts[case["key"]]
        attempts.append("".join(said))
        if len(attempts) > case["fail"]:
            return request
        if case.get("begin"):
            await context.send_initial_metadata((("begun", "yes"),))
        if "pushback" in case:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", case["pushback"]),))
        await context.abort(getattr(grpc.StatusCode, case.get("code", "UNAVAILABLE")), "as you wished")

    async def attempts_of(self, request, context):
        return message(json.dumps(self.attempts[text_of(request)]))

    async def quote(self, request, context):
        """Stamped before the work: what is read is as old as that."""
        self.seen["quotes"] += 1
        metadata = dict(context.invocation_metadata())
        quote = {"at": time.time(), "asked": text_of(request)}
        quote |= {"who": metadata.get("authorization", ""), "customer": metadata.get("customer", "")}
        await asyncio.sleep(self.behaviour["work_ms"] / 1000)
        return message(json.dumps(quote))

    async def behave(self, request, context):
        self.behaviour.update(json.loads(text_of(request)))
        return request

    async def report(self, request, context):
        return message(json.dumps(dict(self.seen)))


def text_of(message):
    """The string of a message shorter than 128 bytes."""
    return message[2:].decode() if message else "{}"


def message(text):
    data = text.encode()
    length, prefix = len(data), bytearray(b"\x0a")
    while length > 127:
        prefix.append(length & 127 | 128)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + data


async def main():
    ledger = Ledger(*map(int, sys.argv[1:]))
    methods = {"Book": ledger.book, "Behave": ledger.behave, "Report": ledger.report}
    methods |= {"Flaky": ledger.flaky, "Attempts": ledger.attempts_of, "Quote": ledger.quote}
    server = grpc.aio.server()
    handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("host.v1.Ledger", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print("listening", port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
