"""What an adapter is: a class whose functions are the methods of its contracts."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .contract import Contract, Method
from .fault import Fault
from .health import Health
from .lookup import Lookup
from .receive import Received, Receiving

S = TypeVar("S")


@dataclass(frozen=True)
class Limits:
    """What the adapter bears; more is refused with a fault that says so."""

    message_bytes: int = 4 << 20  # of one message, either way
    calls: int = 32  # at the same time: as many threads
    first_credits: int = 8  # request messages that the bus may send before the adapter takes the first


class Adapter(Generic[S]):
    """Derive from it, name what stands below, and write one function for each method: `PostMany` → `post_many`.

    `Import` → `import_`, and so with all words of Python and names of this class.

    A function takes the request and the `Call`, and gives the response, or raises a `Fault`. A plain function runs in a thread of
    its own, an `async` one on the event loop. One whose method gives a stream is a generator; one whose method takes a stream gets an
    iterator (an asynchronous one, when it is `async`). What was begun goes on to its end when the caller leaves; `Call.pause` and
    every `yield` notice it.
    """

    kind: str  # `acme/ledger`: letters, digits, dashes, one slash
    release: str
    summary: str
    contracts: list[Contract]
    settings: type[S]
    limits = Limits()
    behind: list[str] = []  # what stands behind, for people; without credentials

    def open(self, endpoint: str, settings: S) -> None:
        """Takes the settings; must not need the system behind to be up. Raises ValueError for what cannot be used."""

    def health(self) -> Health:
        """Whether the system behind can be reached now. Asked every few seconds."""
        return Health.ready()

    def lookup(self, idempotency_key: str) -> Lookup:
        """What became of an operation. An adapter that has this function declares that it can look up."""
        raise Fault.unimplemented("this adapter cannot look up what became of an operation")

    def receive(self, receiving: Receiving) -> Iterator[Received]:
        """What comes from the system behind, as a generator: first what was not taken yet, in the order in which it came, then what comes.

        Runs in a thread, and begins anew with each stream of the bus; `receiving.pause` and every `yield` notice its end. An adapter that
        has this function declares that it receives.
        """
        raise Fault.unimplemented("this adapter does not receive")

    def taken(self, id: str) -> None:
        """It is on the bus's disk: it may be forgotten, and the system behind told so. Until then `receive` hands it over again."""

    def refused(self, id: str, reason: str) -> None:
        """It will never be taken: keep it aside and tell people. `receive` must not hand it over again."""

    def receives(self) -> bool:
        """Whether it receives."""
        return type(self).receive is not Adapter.receive

    def looks_up(self) -> bool:
        """Whether it can look up."""
        return type(self).lookup is not Adapter.lookup


@dataclass(frozen=True)
class Served:
    """A method of a contract with the function that serves it."""

    method: Method
    function: Callable[..., Any]

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop."""
        return inspect.iscoroutinefunction(self.function) or inspect.isasyncgenfunction(self.function)


def served(adapter: Adapter[Any]) -> dict[str, Served]:
    """The methods by full name. A method without a function is an error, found before anything listens."""
    found = {}
    for method in (method for contract in adapter.contracts for method in contract):
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", method.name).lower()
        name = f"{name}_" if keyword.iskeyword(name) or hasattr(Adapter, name) else name
        function = getattr(adapter, name, None)
        if not callable(function):
            raise SystemExit(f"{type(adapter).__name__} has no function `{name}` for {method.full_name}")
        found[method.full_name] = Served(method, function)
    return found
