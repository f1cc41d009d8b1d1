"""Keeps calling the card disputes at ADDRESS… (round robin) until SIGTERM, then prints one line of JSON: how many calls, which failed.

Prints "warm" once every worker has called a few times. No retry policy is set: a failed call stays failed, except for what
gRPC itself repeats because the server provably never took it.
"""

import asyncio
import collections
import json
import signal
import sys

import grpc

import disputes_pb2 as pb
import disputes_pb2_grpc as pb_grpc

WORKERS = 32
WARM_CALLS = 10


async def worker(number, stub, stop, report):
    turn = 0
    while not stop.is_set():
        turn += 1
        try:
            amount = number * 1_000_000 + turn
            if turn % 4 == 0:
                events = [event.number async for event in stub.Follow(pb.FollowRequest(label="load", events=20), timeout=30)]
                right = events == list(range(1, 21))
            else:
                right = (await stub.Open(pb.OpenRequest(card_token="load", amount_cents=amount), timeout=30)).amount_cents == amount
            report["right" if right else "wrong"] += 1
        except grpc.aio.AioRpcError as error:
            report[f"{error.code().name}: {error.details()}"] += 1
        if turn == WARM_CALLS:
            report["warm workers"] += 1
            if report["warm workers"] == WORKERS:
                print("warm", flush=True)


async def main(addresses):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    report = collections.Counter()
    # Without a name of its own the channel would send the whole list as :authority, which is none.
    options = [("grpc.lb_policy_name", "round_robin"), ("grpc.default_authority", "disputes")]
    async with grpc.aio.insecure_channel("ipv4:" + ",".join(addresses), options=options) as channel:
        stub = pb_grpc.CardDisputesStub(channel)
        await asyncio.gather(*(worker(number, stub, stop, report) for number in range(WORKERS)))
    del report["warm workers"]
    print("report", json.dumps({"right": report.pop("right", 0), "failed": dict(report)}), flush=True)


asyncio.run(main(sys.argv[1:]))
