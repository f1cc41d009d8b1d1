"""An adapter for the tests of the library: every way in which a function can be written, and what it does wrong."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from passerelle_adapter import Adapter, Contract, Health, Limits, Received, Secret, serve, setting

contract = Contract.load(Path(__file__).parent / "proto", "probe/v1/probe.proto")
Number = contract.Number


def numbered(value):
    return Number(value=value)


@dataclass(frozen=True)
class Settings:
    name: str = setting("A text.")
    size: int = setting("A whole number.", default=1)
    share: float = setting("A number.", default=0.5)
    loud: bool = setting("Yes or no.", default=False)
    password: Secret = setting("A secret.", default=None)


class Probe(Adapter[Settings]):
    kind = "tests/probe"
    release = "1.0.0"
    summary = "what the library can do"
    contracts = [contract]
    settings = Settings
    limits = Limits(message_bytes=4096, calls=3, first_credits=2)

    def open(self, endpoint, settings):
        if settings.name == "bad":
            raise ValueError("the setting `name` must not be bad")
        if settings.name == "broken":
            raise OSError("hunter2 is in these words")
        self.name = settings.name
        self.coming = []
        self.last = 0
        self.password = settings.password.reveal() if settings.password else ""

    def health(self):
        if self.name == "stuck":
            time.sleep(3)
        if self.name == "failing":
            raise OSError("hunter2 is in these words")
        return Health.degraded("half of it") if self.name == "half" else Health.ready()

    def lookup(self, idempotency_key):
        raise OSError("hunter2 is in these words")

    def receive(self, receiving):
        handed = 0
        while True:
            for value in [value for value in self.coming if value > handed]:
                handed = value
                yield Received(id=f"n-{value}", message=Number(value=value), subject="numbers", time=1_700_000_000.5)
            receiving.pause(0.02)

    def taken(self, id):
        self.coming.remove(int(id[2:]))

    def refused(self, id, reason):
        self.coming.remove(int(id[2:]))

    def arrive(self, request, call):
        self.last += 1
        self.coming.append(self.last)
        return request

    def add(self, requests, call):
        return Number(value=sum(request.value for request in requests))

    async def add_async(self, requests, call):
        return Number(value=sum([request.value async for request in requests]))

    def echo(self, requests, call):
        for request in requests:
            yield request

    async def echo_async(self, requests, call):
        async for request in requests:
            yield request

    def count(self, request, call):
        return (Number(value=value) for value in range(request.value)) if request.value > 9 else map(numbered, range(request.value))

    def fail(self, request, call):
        raise OSError("hunter2 is in these words")

    def wrong(self, request, call):
        return "hunter2"

    def large(self, request, call):
        return Number(ballast=bytes(request.value))

    async def sleep(self, request, call):
        await asyncio.sleep(request.value / 1000)
        return request

    def health_(self, request, call):
        return request


if __name__ == "__main__":
    serve(Probe())
