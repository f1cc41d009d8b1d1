"""Contracts: `.proto` files compiled when the adapter starts, so that nothing generated lies about."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from grpc_tools import protoc


@dataclass(frozen=True)
class Method:
    """One method of a contract."""

    full_name: str  # as the port has it: `acme.ledger.v1.Ledger/Post`
    name: str
    request: type[Any]
    response: type[Any]
    takes_stream: bool
    gives_stream: bool
    idempotent: bool


class Contract:
    """One `.proto` file with all that it imports. Its messages are attributes: `ledger.Posting(id=7)`."""

    def __init__(self, name: str, files: dict[str, str], messages: dict[str, type[Any]], methods: list[Method]) -> None:
        self.name = name
        self.files = files  # import path → text, without those of google/protobuf
        self.methods = methods
        self._messages = messages

    @classmethod
    def load(cls, folder: Path, path: str) -> Contract:
        """Compiles the file at `path` below `folder`. What is wrong with it is printed with file, line and column."""
        texts = _compile(folder, path)
        pool = descriptor_pool.DescriptorPool()
        for file in texts.file:
            pool.Add(file)
        found = pool.FindFileByName(path)
        messages = {name: message_factory.GetMessageClass(message) for name, message in found.message_types_by_name.items()}
        services = found.services_by_name.values()
        methods = [_method(method) for service in services for method in service.methods]
        own = (file.name for file in texts.file if not file.name.startswith("google/protobuf/"))
        files = {name: (folder / name).read_text(encoding="utf-8") for name in own}
        return cls(found.package, files, messages, methods)

    def __getattr__(self, name: str) -> type[Any]:
        messages: dict[str, type[Any]] = self.__dict__.get("_messages", {})
        if name not in messages:
            raise AttributeError(f"the contract has no message {name} (there are: {', '.join(messages)})")
        return messages[name]

    def __iter__(self) -> Iterator[Method]:
        return iter(self.methods)


def _compile(folder: Path, path: str) -> descriptor_pb2.FileDescriptorSet:
    well_known = str(resources.files("grpc_tools") / "_proto")
    with tempfile.NamedTemporaryFile(suffix=".binpb") as image:
        arguments = ["protoc", f"-I{folder}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={image.name}", path]
        if protoc.main(arguments) != 0:
            raise SystemExit(f"{folder / path} does not compile; see above")
        return descriptor_pb2.FileDescriptorSet.FromString(Path(image.name).read_bytes())


def _method(method: MethodDescriptor) -> Method:
    level = method.GetOptions().idempotency_level
    return Method(
        full_name=f"{method.containing_service.full_name}/{method.name}",
        name=method.name,
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        takes_stream=method.client_streaming,
        gives_stream=method.server_streaming,
        idempotent=level != descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN,
    )
