"""The description of HTTP: that it is of this service, whole, and what the service itself goes by."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from slotd_server.rpc import calls
from tests.service import LocalService
from tests.web.asking import JOBS, ask, post


@pytest.fixture(scope="module")
def document(service: LocalService) -> dict[str, Any]:
    answer = ask(service.url, "GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json
    return found


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_method_that_answers_is_described(document: dict[str, Any]) -> None:
    served = {
        f"/{service.full_name}/{method.name}": method.output_type.name
        for service in calls.SERVICES
        for method in service.methods
        if not method.client_streaming
    }
    described = {path: entry["post"] for path, entry in document["paths"].items() if path.startswith("/slotd.v1.")}
    assert described.keys() == served.keys()
    for path, operation in described.items():
        assert operation["summary"], path
        (content,) = operation["responses"]["200"]["content"].values()
        assert content["schema"] == {"$ref": f"#/components/schemas/{served[path]}"}
    assert {"/events", "/healthz", "/readyz", "/metrics"} <= document["paths"].keys()


def test_what_it_refers_to_is_there_and_all_that_is_there_is_referred_to(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == schemas


def test_an_answer_has_the_fields_that_are_described_and_no_others(
    service: LocalService, document: dict[str, Any]
) -> None:
    def check(value: Any, schema: dict[str, Any], path: str) -> None:
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        kinds = schema.get("type", [])
        kind = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}[
            type(value)
        ]
        assert kind in ([kinds] if isinstance(kinds, str) else kinds), path
        assert value in schema.get("enum", [value]), path
        if isinstance(value, list):
            for item in value:
                check(item, schema["items"], path + "[]")
        elif isinstance(value, dict):
            for name, inner in value.items():
                described = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
                assert described, f"{path}.{name}"
                if described is not True:
                    check(inner, described, f"{path}.{name}")

    service.at.client.submit_and_wait("hopeless", labels={"a": "b"})
    for method in ("JobService/List", "QueueService/ListQueues", "QueueService/GetStats", "QueueService/ListSlots"):
        answer = post(service.url, f"/slotd.v1.{method}", {"view": "JOB_VIEW_FULL"} if "JobS" in method else {}).json
        operation = document["paths"][f"/slotd.v1.{method}"]["post"]
        check(answer, operation["responses"]["200"]["content"]["application/json"]["schema"], method)
    error = post(service.url, JOBS + "Get", {"id": "x"}).json
    assert error.keys() <= document["components"]["schemas"]["Error"]["properties"].keys()
    assert json.dumps(document).count("google.rpc.ErrorInfo") >= 1
