"""The dashboard's files, and nothing beside them."""

import gzip
from pathlib import Path

import pytest

from slotd_server.web.pages import Pages
from tests.service import LocalService
from tests.web.asking import answered, raw

INDEX = b"<!doctype html><title>slotd</title>"
SCRIPT = b"console.log('slotd')\n" * 100


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "icon.svg").write_bytes(b"<svg/>")
    (folder / "assets" / "index-a1b2.js").write_bytes(SCRIPT)
    (tmp_path / "secret.txt").write_text("beside the page")
    return Pages(folder)


async def test_the_page(pages: Pages) -> None:
    answer = await answered(pages, "GET", "/")
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_what_the_build_has_named_by_its_content_is_kept_for_ever(pages: Pages) -> None:
    answer = await answered(pages, "GET", "/assets/index-a1b2.js")
    assert (answer.status, answer.body) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert (await answered(pages, "GET", "/icon.svg")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br, zstd", "gzip"), ("gzip;q=0.5", "gzip"), ("deflate", None), ("", None)],
)
async def test_a_file_is_compressed_for_those_who_take_it(pages: Pages, accepted: str, encoding: str | None) -> None:
    answer = await answered(pages, "GET", "/assets/index-a1b2.js", accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (gzip.decompress(answer.body) if encoding else answer.body) == SCRIPT
    # This one would only grow.
    assert (await answered(pages, "GET", "/icon.svg", accept_encoding="gzip")).headers.get("content-encoding") is None


async def test_who_has_it_already_is_told_so(pages: Pages) -> None:
    tag = (await answered(pages, "GET", "/")).headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        answer = await answered(pages, "GET", "/", if_none_match=sent)
        assert (answer.status, answer.body) == (304, b"")
    assert (await answered(pages, "GET", "/", if_none_match='"other"')).status == 200


@pytest.mark.parametrize(
    "path", ["/jobs", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/queues/default?state=failed"]
)
async def test_the_page_routes_its_own_paths(pages: Pages, path: str) -> None:
    answer = await answered(pages, "GET", path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status, answer.body) == (200, INDEX)
    assert (await answered(pages, "GET", path, accept="*/*")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "//secret.txt",
        "/assets/..\\..\\secret.txt",
        "/assets/",
        "/assets",
        "/index.html/",
        "/index.html\0",
        "/missing.js",
    ],
)
async def test_there_is_nothing_else(pages: Pages, path: str) -> None:
    answer = await answered(pages, "GET", path, accept="text/html" if "." in path else "*/*")
    assert (answer.status, answer.body) == (404, b"Not Found\n")


@pytest.mark.parametrize(
    "target",
    ["/../guard.py", "/assets/%2e%2e/%2e%2e/guard.py", "/..%2fguard.py", "/%2e%2e%5cguard.py", "/page/index.html"],
)
def test_no_path_leads_out_of_the_page(service: LocalService, target: str) -> None:
    told = raw(service.url, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert told.startswith(b"HTTP/1.1 404 ")
    assert b"class Guard" not in told


async def test_a_page_is_only_read(pages: Pages) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = await answered(pages, method, "/")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await answered(pages, "HEAD", "/")).headers["content-length"] == str(len(INDEX))


async def test_the_page_brings_a_token_to_those_who_have_none(pages: Pages) -> None:
    first, second = [(await answered(pages, "GET", "/")).headers["set-cookie"] for _ in range(2)]
    name, _, token = first.partition(";")[0].partition("=")
    assert name == "slotd-token"
    assert len(token) > 40
    assert first != second
    assert "SameSite=strict" in first
    assert "HttpOnly" not in first
    assert (
        "set-cookie"
        not in (await answered(pages, "GET", "/jobs", accept="text/html", cookie=f"slotd-token={token}")).headers
    )
    assert "set-cookie" not in (await answered(pages, "GET", "/assets/index-a1b2.js")).headers


async def test_an_installation_without_the_page_says_so(tmp_path: Path) -> None:
    answer = await answered(Pages(tmp_path / "nowhere"), "GET", "/")
    assert (answer.status, answer.body) == (404, b"The dashboard is not part of this installation.\n")
