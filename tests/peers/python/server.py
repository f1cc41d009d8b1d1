"""A back office in Python: card disputes over grpcio, with reflection. Prints "listening PORT" and serves until killed.

With the argument "gzip" it compresses every answer, whatever the caller said."""

import asyncio
import hashlib
import sys

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

import disputes_pb2 as pb
import disputes_pb2_grpc as pb_grpc


def echoed(context):
    """Request metadata named echo-… goes back as it came."""
    return tuple((name, value) for name, value in context.invocation_metadata() if name.startswith("echo-"))


class CardDisputes(pb_grpc.CardDisputesServicer):
    def __init__(self):
        self.cancelled = []

    async def Open(self, request, context):
        echo = echoed(context)
        await context.send_initial_metadata(echo)
        context.set_trailing_metadata(tuple(("trailing-" + name, value) for name, value in echo))
        if request.amount_cents < 1:
            await context.abort_with_status(refusal(request))
        digest = hashlib.sha256(f"{request.card_token}/{request.amount_cents}".encode()).hexdigest()[:12]
        return pb.Dispute(id="D-" + digest, amount_cents=request.amount_cents, reason=request.reason)

    async def Attach(self, requests, context):
        pieces, size, digest = 0, 0, hashlib.sha256()
        async for piece in requests:
            pieces += 1
            size += len(piece.content)
            digest.update(piece.content)
        return pb.Receipt(pieces=pieces, bytes=size, sha256=digest.hexdigest())

    async def Follow(self, request, context):
        number = 0
        try:
            while request.events == 0 or number < request.events:
                number += 1
                yield pb.Event(number=number, text=f"{request.label} {number}")
                if request.events == 0:
                    await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self.cancelled.append(request.label)
            raise

    async def Discuss(self, requests, context):
        async for line in requests:
            yield pb.Line(text=line.text.upper())

    async def Look(self, request, context):
        if request.compress:
            # grpc.aio 1.85 has a set_compression() that does nothing; this is what it should do.
            await context.send_initial_metadata((("grpc-internal-encoding-request", "gzip"),))
        left = context.time_remaining()
        seen = sorted((name, value) for name, value in context.invocation_metadata() if name != "user-agent")
        return pb.LookResponse(
            metadata=[pb.Metadatum(name=n, value=v if isinstance(v, bytes) else v.encode()) for n, v in seen],
            time_left_ms=-1 if left is None else int(left * 1000),
            content_bytes=len(request.content),
            content=bytes(request.answer_bytes),
        )

    async def Cancelled(self, request, context):
        return pb.CancelledResponse(labels=self.cancelled)


def refusal(request):
    """INVALID_ARGUMENT with a google.rpc.Status in its details."""
    detail = any_pb2.Any()
    violation = error_details_pb2.BadRequest.FieldViolation(field="amount_cents", description="at least one cent")
    detail.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="montant refusé: trop petit", details=[detail])
    return rpc_status.to_status(status)


async def main():
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    compression = grpc.Compression.Gzip if "gzip" in sys.argv else None
    server = grpc.aio.server(options=options, compression=compression)
    pb_grpc.add_CardDisputesServicer_to_server(CardDisputes(), server)
    name = pb.DESCRIPTOR.services_by_name["CardDisputes"].full_name
    reflection.enable_server_reflection([name, reflection.SERVICE_NAME], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print("listening", port, flush=True)
    await server.wait_for_termination()


asyncio.run(main())
