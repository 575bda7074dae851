"""One store file has one server."""

from pathlib import Path

from tests.faults.conftest import Serve


def test_a_second_server_is_refused_and_the_first_goes_on(serve: Serve, tmp_path: Path) -> None:
    first = serve()
    client = first.connect().client
    before = client.submit("echo", 1)
    (tmp_path / "same.db").symlink_to(tmp_path / "jobs.db")
    for store in ("jobs.db", "same.db"):
        second = serve(store=f"sqlite:///{tmp_path / store}")
        assert not second.listening()
        assert second.wait() == 1
        said = second.log.read_text()
        assert "cannot open the store" in said
        assert "another server has" in said
        assert "Traceback" not in said
    assert client.wait(before).result.data == b"1"
    assert client.submit_and_wait("echo", 2).result.data == b"2"


def test_after_kill_9_of_the_first_the_next_one_starts(serve: Serve) -> None:
    first = serve(slots=0)
    job = first.connect().client.submit("echo", "still there")
    first.kill()
    second = serve()
    assert second.connect().client.wait(job).result.data == b'"still there"'
