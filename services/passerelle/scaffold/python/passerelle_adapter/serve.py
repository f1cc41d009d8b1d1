"""Runs an adapter as a process: listens where it is told, drains on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from typing import Any

import grpc

from .adapter import Adapter
from .server import Server

LIFELINE = "PASSERELLE_ADAPTER_LIFELINE"  # `stdin` by a bus that starts the adapter, and holds the other end as long as it lives
TOLD = "PASSERELLE_ADAPTER_LISTEN"  # by a bus that starts the adapter
ENDPOINT = "http://127.0.0.1:50061"
GRACE_S = 10.0  # for calls in flight after SIGTERM


def serve(adapter: Adapter[Any]) -> None:
    """Serves until SIGTERM or Ctrl-C. Prints `ready: ENDPOINT` when it listens."""
    arguments = argparse.ArgumentParser(description=f"{adapter.kind} {adapter.release}: {adapter.summary}")
    words = "where to listen: unix:PATH or http://HOST:PORT; port 0 takes a free one (default: as the bus says that starts it, or %(default)s)"
    arguments.add_argument("endpoint", nargs="?", default=os.environ.get(TOLD, ENDPOINT), help=words)
    arguments.add_argument("--grace", type=float, default=GRACE_S, metavar="SECONDS", help="for calls in flight after SIGTERM")
    given = arguments.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_serve(adapter, given.endpoint, given.grace))


async def _serve(adapter: Adapter[Any], endpoint: str, grace_s: float) -> None:
    bytes_max = 2 * adapter.limits.message_bytes + (1 << 20)  # a message that is too long is to be refused with a fault, not cut off
    sizes = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
    options = [*((size, bytes_max) for size in sizes), ("grpc.so_reuseport", 0)]
    server = Server(adapter)
    listener = grpc.aio.server(options=options)
    listener.add_generic_rpc_handlers((server.handlers(),))
    try:
        port = listener.add_insecure_port(_address(endpoint))
    except RuntimeError:
        raise SystemExit(f"cannot listen on {endpoint}: is it taken, or not of this machine?") from None
    await listener.start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    if os.environ.get(LIFELINE) == "stdin":
        threading.Thread(target=_wait_for_its_end, args=(asyncio.get_running_loop(), ended), daemon=True).start()
    listens = f"{endpoint.rpartition(':')[0]}:{port}" if endpoint.startswith("http://") else endpoint
    print(f"ready: {listens}", flush=True)
    await ended.wait()
    cut_off = await server.end_calls(grace_s)
    logging.getLogger("passerelle_adapter").info("drained, %d calls cut off", cut_off)
    await listener.stop(grace=1.0)


def _wait_for_its_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """The bus that started this process is gone when standard input ends, however it went."""
    while os.read(sys.stdin.fileno(), 64):
        pass
    loop.call_soon_threadsafe(ended.set)


def _address(endpoint: str) -> str:
    """As grpcio writes it. There is no encryption: keep to this machine, or to a network that is as good."""
    if endpoint.startswith("unix:"):
        return endpoint
    if endpoint.startswith("http://"):
        return endpoint.removeprefix("http://").rstrip("/")
    raise SystemExit(f"{endpoint} is neither unix:PATH nor http://HOST:PORT")
