"""Calls the card disputes at ADDRESS in every way that gRPC knows and prints, line by line, what a caller sees.

The lines say nothing that depends on where the server is or how fast: run directly and through a bus they must be the same.
"""

import asyncio
import sys
import time

import grpc
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

import disputes_pb2 as pb
import disputes_pb2_grpc as pb_grpc

LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
ECHO = (("echo-text", "plain, with spaces"), ("echo-data-bin", bytes(range(0, 256, 17))), ("echo-twice", "1"), ("echo-twice", "2"))


def named(metadata):
    return sorted((name, value) for name, value in metadata or () if "echo-" in name)


def failure(error):
    return f"{error.code().name}: {error.details()}"


async def unary(stub):
    call = stub.Open(pb.OpenRequest(card_token="tok-1", amount_cents=4200, reason="jamais reçu"), metadata=ECHO)
    print("dispute", await call)
    print("initial metadata", named(await call.initial_metadata()))
    print("trailing metadata", named(await call.trailing_metadata()), await call.code())


async def unary_refused(stub):
    try:
        await stub.Open(pb.OpenRequest(card_token="tok-1"), metadata=ECHO)
    except grpc.aio.AioRpcError as error:
        print(failure(error), named(error.initial_metadata()), named(error.trailing_metadata()))
        status = rpc_status.from_call(SyncView(error))
        detail = error_details_pb2.BadRequest()
        print("details", status.details[0].Unpack(detail), status.message, detail)


class SyncView:
    """What rpc_status reads of a finished call."""

    def __init__(self, error):
        self.code, self.details, self.trailing_metadata = error.code, error.details, error.trailing_metadata


async def client_streaming(stub):
    async def pieces():
        for size in (0, 1, 255, 256, 65_535, 1_000_000):
            yield pb.Evidence(name=str(size), content=b"\x5a" * size)

    print("receipt", await stub.Attach(pieces()))
    print("receipt of nothing", await stub.Attach(iter(())))


async def server_streaming(stub):
    events = [event.number async for event in stub.Follow(pb.FollowRequest(label="count", events=500))]
    print("events in order", events == list(range(1, 501)))


async def both_streaming(stub):
    call = stub.Discuss()
    heard = []
    for text in ("un", "deux", "trois"):
        await call.write(pb.Line(text=text))
        heard.append((await call.read()).text)  # each answer comes before the next line is sent
    await call.done_writing()
    print("heard", heard, "end", await call.read() is grpc.aio.EOF, await call.code())


async def metadata_as_the_server_sees_it(stub):
    seen = await stub.Look(pb.LookRequest(), metadata=ECHO)
    print("server saw", [(m.name, m.value) for m in seen.metadata if m.name.startswith("echo-")])


async def compression(stub):
    size = 16 << 20  # packed it is a few kilobytes: it passes whoever does not unpack it
    request = pb.LookRequest(content=bytes(size), answer_bytes=size, compress=True)
    seen = await stub.Look(request, compression=grpc.Compression.Gzip)
    print("compressed", seen.content_bytes, len(seen.content))


async def deadlines(stub):
    seen = await stub.Look(pb.LookRequest(), timeout=20)
    print("time left", 15_000 < seen.time_left_ms <= 20_000)
    print("no deadline", (await stub.Look(pb.LookRequest())).time_left_ms)
    start = time.monotonic()
    try:
        async for _ in stub.Follow(pb.FollowRequest(label="late"), timeout=0.5):
            pass
    except grpc.aio.AioRpcError as error:
        print("late", error.code().name, time.monotonic() - start < 5)
    print("server noticed", await noticed(stub, "late"))


async def cancellation(stub):
    call = stub.Follow(pb.FollowRequest(label="given up"))
    await call.read()
    call.cancel()
    print("server noticed", await noticed(stub, "given up"))


async def noticed(stub, label):
    for _ in range(200):
        if label in (await stub.Cancelled(pb.CancelledRequest())).labels:
            return True
        await asyncio.sleep(0.02)
    return False


async def unknown_method(channel):
    try:
        await channel.unary_unary("/bank.disputes.v1.CardDisputes/Forget")(b"")
    except grpc.aio.AioRpcError as error:
        print("unknown method", error.code().name)


async def reflection(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(file_containing_symbol="bank.disputes.v1.CardDisputes")])
    async for answer in stub.ServerReflectionInfo(asked):
        print("reflection", len(answer.file_descriptor_response.file_descriptor_proto) > 0)


async def main(address):
    async with grpc.aio.insecure_channel(address, options=LARGE) as channel:
        stub = pb_grpc.CardDisputesStub(channel)
        for act in (unary, unary_refused, client_streaming, server_streaming, both_streaming, metadata_as_the_server_sees_it,
                    compression, deadlines, cancellation):
            print("——", act.__name__.replace("_", " "))
            await act(stub)
        for act in (unknown_method, reflection):
            print("——", act.__name__.replace("_", " "))
            await act(channel)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), timeout=120))
