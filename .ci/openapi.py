"""Describes HTTP/JSON as OpenAPI 3.1, from protos/ and their comments, or checks what is committed.

Runs in .venv-proto, like stubs.py. With --check it writes nothing, and exits 1 if what is committed differs.
"""

import argparse
import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
OUTPUT = ROOT / "server" / "slotd_server" / "web" / "openapi.json"

Json: TypeAlias = dict[str, Any]
Comments: TypeAlias = dict[tuple[int, ...], str]

_F = FieldDescriptorProto
# Numbers of the fields of descriptors, of which the paths to comments are made.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_FIELD = _METHOD = _VALUE = 2
_NESTED, _NESTED_ENUM = 3, 4

# ProtoJSON writes integers of 64 bits as strings, and reads both.
_LONG: Json = {"type": ["string", "integer"], "format": "int64"}
_INTEGER: Json = {"type": "integer", "format": "int32"}
_SCALARS: dict[int, Json] = {
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    _F.TYPE_INT32: _INTEGER,
    _F.TYPE_INT64: _LONG,
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_UINT32: {"type": "integer", "minimum": 0},
    _F.TYPE_UINT64: _LONG,
}
_WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "description": "A message of any type: its fields, and in @type what it is.",
    },
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "description": "Seconds, with an s behind them, as in 1.5s.",
    },
    "google.protobuf.FieldMask": {"type": "string", "description": "Names of fields, with commas between them."},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}
_ERROR: Json = {
    "type": "object",
    "description": "How the Connect protocol tells an error.",
    "required": ["code"],
    "properties": {
        "code": {"type": "string", "description": "A gRPC status code in lower case, as in not_found."},
        "message": {"type": "string"},
        "details": {
            "type": "array",
            "description": "Messages of google.rpc; the first is an ErrorInfo, whose reason is part of the contract.",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "description": "As in google.rpc.ErrorInfo."},
                    "value": {"type": "string", "contentEncoding": "base64"},
                    "debug": {"description": "The same for people to read."},
                },
            },
        },
    },
}
_STREAMED = (
    "Asked and answered in frames of the Connect protocol: a byte of flags, four of length, the message; the last frame"
    " has flag 2, and holds the error if there is one."
)
_PARAMETERS = {
    "queue": "Jobs of these queues alone.",
    "kind": "Jobs of these kinds alone.",
    "state": "Jobs in these states alone, as in running.",
    "label": "Jobs with these labels alone, each KEY=VALUE.",
    "job": "These jobs alone; the stream ends when the last of them has.",
    "group": "Jobs of these groups alone.",
    "schedule": "Jobs of these schedules alone.",
    "depends_on": "Jobs alone that depend on these.",
    "delivery": "every (the default) or latest.",
    "view": "basic (the default) or full.",
    "progress": "1 to be told of progress too.",
    "cursor": "Where to go on; the header Last-Event-ID, where there is one, counts more.",
}
_ONCE = ("delivery", "view", "progress", "cursor")


class Described:
    """The files of one descriptor set: messages and enums by full name, each with its comments."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self.services: list[tuple[str, ServiceDescriptorProto, Comments, tuple[int, ...]]] = []
        self.messages: dict[str, tuple[DescriptorProto, Comments, tuple[int, ...]]] = {}
        self.enums: dict[str, tuple[EnumDescriptorProto, Comments, tuple[int, ...]]] = {}
        for file in files.file:
            self._add(file)

    def _add(self, file: FileDescriptorProto) -> None:
        comments = {tuple(one.path): one.leading_comments for one in file.source_code_info.location}
        for number, service in enumerate(file.service):
            self.services.append((f"{file.package}.{service.name}", service, comments, (_SERVICE, number)))
        for number, enum in enumerate(file.enum_type):
            self.enums[f".{file.package}.{enum.name}"] = (enum, comments, (_ENUM, number))
        for number, message in enumerate(file.message_type):
            self._add_message(f".{file.package}", message, comments, (_MESSAGE, number))

    def _add_message(self, scope: str, message: DescriptorProto, comments: Comments, path: tuple[int, ...]) -> None:
        name = f"{scope}.{message.name}"
        self.messages[name] = (message, comments, path)
        for number, enum in enumerate(message.enum_type):
            self.enums[f"{name}.{enum.name}"] = (enum, comments, (*path, _NESTED_ENUM, number))
        for number, nested in enumerate(message.nested_type):
            self._add_message(name, nested, comments, (*path, _NESTED, number))


class Document:
    """The description, made of what is described; schemas come in as something refers to them."""

    def __init__(self, described: Described) -> None:
        self._described = described
        self._schemas: dict[str, Json] = {"Error": _ERROR}

    def whole(self) -> Json:
        """All of it."""
        paths: Json = {}
        tags = []
        for name, service, comments, path in self._described.services:
            tags.append({"name": service.name, "description": _text(comments, path)})
            for number, method in enumerate(service.method):
                # What is asked by a stream takes gRPC.
                if not method.client_streaming:
                    told = _text(comments, (*path, _METHOD, number))
                    paths[f"/{name}/{method.name}"] = {"post": self._operation(service.name, method, told)}
        paths["/events"] = {"get": self._events()}
        paths |= {
            "/healthz": {"get": _probe("healthz", "Whether the process answers.")},
            "/readyz": {"get": _probe("readyz", "Whether it takes new work; 503 while it drains.", "503")},
            "/metrics": {"get": _probe("metrics", "What Prometheus asks for.")},
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": "slotd", "version": "v1", "description": "slotd over HTTP/JSON: docs/http.md has more."},
            "servers": [{"url": "/"}],
            "tags": tags,
            "paths": paths,
            "components": {"schemas": dict(sorted(self._schemas.items()))},
        }

    def _operation(self, service: str, method: MethodDescriptorProto, told: str) -> Json:
        streamed = method.server_streaming
        kind = "application/connect+json" if streamed else "application/json"
        return {
            "operationId": f"{service}_{method.name}",
            "tags": [service],
            "summary": told.partition("\n")[0].partition(". ")[0].rstrip("."),
            "description": f"{told}\n\n{_STREAMED}" if streamed else told,
            "requestBody": {"content": {kind: {"schema": self._reference(method.input_type)}}},
            "responses": {
                "200": {"description": "OK", "content": {kind: {"schema": self._reference(method.output_type)}}},
                "default": {"description": "An error", "content": {"application/json": {"schema": _refer("Error")}}},
            },
        }

    def _events(self) -> Json:
        text = {"type": "string"}
        parameters = [
            {
                "name": name,
                "in": "query",
                "description": told,
                "schema": text if name in _ONCE else {"type": "array", "items": text},
            }
            for name, told in _PARAMETERS.items()
        ]
        resumed = {"name": "Last-Event-ID", "in": "header", "description": "The id that came last.", "schema": text}
        return {
            "operationId": "events",
            "summary": "JobService.Stream as Server-Sent Events",
            "description": "Each message is a StreamResponse; its id, where it has one, is the cursor.",
            "parameters": [*parameters, resumed],
            "responses": {
                "200": {
                    "description": "The stream",
                    "content": {"text/event-stream": {"schema": self._reference(".slotd.v1.StreamResponse")}},
                },
                "204": {"description": "A stream of jobs that was resumed has no more to tell"},
                "default": {"description": "An error", "content": {"application/json": {"schema": _refer("Error")}}},
            },
        }

    def _reference(self, name: str) -> Json:
        """A reference to a message or an enum, whose schema is made when it is the first."""
        short = name.removeprefix(".").removeprefix("slotd.v1.")
        if short not in self._schemas:
            # There before it is made: messages may hold themselves.
            self._schemas[short] = {}
            self._schemas[short] = self._schema(name)
        return _refer(short)

    def _schema(self, name: str) -> Json:
        known = _WELL_KNOWN.get(name.removeprefix("."))
        if known is not None:
            return known
        if name in self._described.enums:
            enum, comments, path = self._described.enums[name]
            values = [
                f"- {value.name}: {_text(comments, (*path, _VALUE, number)) or 'nothing is said'}"
                for number, value in enumerate(enum.value)
            ]
            told = "\n".join([_text(comments, path), "", *values])
            return {"type": "string", "enum": [value.name for value in enum.value], "description": told}
        message, comments, path = self._described.messages[name]
        properties = {
            field.json_name: _described(self._field(field), _text(comments, (*path, _FIELD, number)))
            for number, field in enumerate(message.field)
        }
        # A field that there isn't is refused.
        schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
        return _described(schema, _text(comments, path))

    def _field(self, field: FieldDescriptorProto) -> Json:
        if field.type == _F.TYPE_MESSAGE and field.type_name in self._described.messages:
            entry = self._described.messages[field.type_name][0]
            if entry.options.map_entry:
                return {"type": "object", "additionalProperties": self._field(entry.field[1])}
        if field.type in (_F.TYPE_MESSAGE, _F.TYPE_ENUM):
            one = self._reference(field.type_name)
        else:
            one = dict(_SCALARS[field.type])
        return {"type": "array", "items": one} if field.label == _F.LABEL_REPEATED else one


def _probe(name: str, told: str, *others: str) -> Json:
    content = {"text/plain": {"schema": {"type": "string"}}}
    responses = {status: {"description": told, "content": content} for status in ("200", *others)}
    return {"operationId": name, "summary": told, "responses": responses}


def _refer(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _described(schema: Json, told: str) -> Json:
    return {**schema, "description": told} if told else schema


def _text(comments: Comments, path: tuple[int, ...]) -> str:
    """The comment there: lines that belong together are one, paragraphs stay apart."""
    return "\n\n".join(_paragraphs(comments.get(path, "")))


def _paragraphs(comment: str) -> Iterator[str]:
    for paragraph in comment.split("\n\n"):
        if joined := " ".join(paragraph.split()):
            yield joined


def generate() -> str:
    """The document as text. Raises CalledProcessError when a proto does not compile."""
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "descriptors"
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={sysconfig.get_path('purelib')}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={output}",
            *protos,
        ]
        subprocess.run(command, check=True)
        described = Described(FileDescriptorSet.FromString(output.read_bytes()))
    return json.dumps(Document(described).whole(), ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Checks or writes; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if what is committed differs")
    fresh = generate()
    committed = OUTPUT.read_text(encoding="utf-8") if OUTPUT.exists() else ""
    name = OUTPUT.relative_to(ROOT)
    if parser.parse_args().check:
        if fresh != committed:
            print(f"{name} is stale. Run `make proto` and commit what it writes.", file=sys.stderr)
            return 1
        print(f"OpenAPI: {name} is fresh.")
        return 0
    if fresh != committed:
        OUTPUT.write_text(fresh, encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
