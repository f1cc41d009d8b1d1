"""The adapter port of Passerelle (passerelle.adapter.v1) for Python, on grpcio: what an adapter derives from and calls.

Lives in your folder, and is yours to read and change.

- `Adapter`: what an adapter is; its functions are the methods of its contracts.
- `Call`: what travels with a call besides its request.
- `Fault`, `Health`, `Lookup`: what an adapter answers when it is not a message of its contract.
- `Received`, `Receiving`: what comes from the system behind, and its hand-over.
- `Contract`: `.proto` files, read when the adapter starts.
- `setting`, `Secret`: the settings, as a dataclass.
- `Answers`: one effect and one answer for each idempotency key, in SQLite.
- `serve`: listens until SIGTERM, then drains.
"""

from .adapter import Adapter, Limits
from .answers import Answers
from .call import Call, CallOver
from .contract import Contract
from .fault import Fault
from .health import Health
from .lookup import Lookup
from .receive import Received, Receiving, ReceivingOver
from .serve import serve
from .settings import Secret, setting

__all__ = [
    "Adapter",
    "Answers",
    "Call",
    "CallOver",
    "Contract",
    "Fault",
    "Health",
    "Limits",
    "Lookup",
    "Received",
    "Receiving",
    "ReceivingOver",
    "Secret",
    "serve",
    "setting",
]
