"""Calls a flaky method at ADDRESS in many ways, and prints for each the outcome; the attempts are asked at SERVER itself.

With the third argument "retry" the client retries by a service config (gRFC A6); with "plain" it never does: then the way to the server has to.
"""

import asyncio
import json
import sys

import grpc

from fragile import message, text_of

CASES = [
    {"fail": 0},
    {"fail": 1},
    {"fail": 2},
    {"fail": 9},
    {"fail": 1, "code": "INTERNAL"},
    {"fail": 1, "code": "RESOURCE_EXHAUSTED"},
    {"fail": 1, "begin": True},
    {"fail": 1, "pushback": "5"},
    {"fail": 1, "pushback": "-1"},
    {"fail": 1, "pushback": "x"},
    # From here on most fail: the throttle ends the retries, and success brings them back.
    *[{"fail": 9}] * 6,
    *[{"fail": 0}] * 70,
    {"fail": 9},
]

CONFIG = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.01s",
                "maxBackoff": "0.05s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}


async def main(address, server, how):
    options = [("grpc.enable_retries", 0)] if how == "plain" else [("grpc.service_config", json.dumps(CONFIG))]
    async with grpc.aio.insecure_channel(address, options=options) as channel, grpc.aio.insecure_channel(server) as direct:
        flaky = channel.unary_unary("/host.v1.Ledger/Flaky")
        attempts_of = direct.unary_unary("/host.v1.Ledger/Attempts")
        for number, case in enumerate(CASES):
            key = f"{how}{number}"
            try:
                await flaky(message(json.dumps(case | {"key": key})), timeout=10)
                outcome = "OK"
            except grpc.aio.AioRpcError as error:
                outcome = error.code().name
            attempts = text_of(await attempts_of(message(key)))
            print(json.dumps(case), outcome, attempts)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
