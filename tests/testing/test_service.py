"""The service of a test: real, its own, quick to start, and gone without a trace."""

import asyncio
import os
import threading
import time
from types import ModuleType

import grpc
import pytest
import structlog

import slotd
from slotd.handlers import Handler, registered
from slotd.testing import Service, assert_submitted
from slotd.v1 import JOB_STATE_SUCCEEDED
from slotd_server.settings import SettingsError
from tests.testing.handlers import HANDLERS, echo


def test_a_job_goes_through_it(slotd_client: slotd.Client) -> None:
    job = slotd_client.submit_and_wait("echo", {"n": 1})
    assert slotd.decode(job.result) == {"n": 1}


async def test_an_async_client_talks_to_it(slotd_aclient: slotd.aio.Client) -> None:
    async with slotd_aclient as client:
        job = await client.submit_and_wait("echo", 1)
    assert slotd.decode(job.result) == 1


def test_any_grpc_client_talks_to_it(slotd_service: Service) -> None:
    with grpc.insecure_channel(slotd_service.address) as channel:
        stub = slotd.v1.JobServiceStub(channel)
        assert stub.List(slotd.v1.ListRequest()).jobs == []


def test_two_are_strangers() -> None:
    with Service(HANDLERS) as one, Service({"other": echo}) as other:
        one.client.submit("echo")
        assert list(other.client.list()) == []
        with pytest.raises(slotd.InvalidArgument):
            other.client.submit("echo")
        one.clock.advance(60)
        assert other.clock.now < one.clock.now


def test_it_starts_quickly() -> None:
    best = min(_start_seconds() for _ in range(5))
    assert best < 0.1


def _start_seconds() -> float:
    # What the process spent, so that other tests beside this one don't count.
    begin = time.process_time()
    with Service(HANDLERS):
        return time.process_time() - begin


def test_it_leaves_neither_handlers_nor_settings_of_logs_behind() -> None:
    before, logs = registered(), structlog.get_config()
    with Service({"left": echo}):
        assert structlog.get_config() != logs
    assert registered() == before
    assert structlog.get_config() == logs


@pytest.mark.parametrize("touched", [False, True])
def test_it_logs_where_the_test_logs(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], touched: bool
) -> None:
    structlog.reset_defaults()
    if touched:
        with structlog.testing.capture_logs():
            pass
    with caplog.at_level("INFO"), Service(HANDLERS):
        pass
    assert "draining" in caplog.text
    assert capsys.readouterr() == ("", "")


def test_handlers_are_those_of_a_module_or_those_named() -> None:
    module = ModuleType("tests.testing.made_here")
    exec("from slotd import job\n@job('made-here')\ndef made(ctx, payload): return 'made'", module.__dict__)
    with Service([module]) as service:
        assert slotd.decode(service.client.submit_and_wait("made-here").result) == "made"
        with pytest.raises(slotd.InvalidArgument):
            service.client.submit("echo")
    with Service([module.made]) as service:
        service.client.submit_and_wait("made-here")
    with Service() as service:
        service.client.submit_and_wait("made-here")
    with pytest.raises(LookupError, match="no handler: use @job"):
        Service([echo])
    with pytest.raises(LookupError, match="has no handlers"):
        Service(["json"])


def test_handlers_run_in_this_process_whatever_they_declare() -> None:
    handler = Handler("alone", lambda ctx, payload: os.getpid(), isolation="process", memory=64 << 20)
    with Service({"alone": handler}) as service:
        assert slotd.decode(service.client.submit_and_wait("alone").result) == os.getpid()


def test_settings_are_those_of_the_service() -> None:
    with Service(HANDLERS, max_payload=3) as service, pytest.raises(slotd.ResourceExhausted):
        service.client.submit("echo", "long")
    with pytest.raises(SettingsError, match="slots is -1"), Service(HANDLERS, slots=-1):
        pass
    with pytest.raises(TypeError, match="colour"), Service(HANDLERS, colour="blue"):
        pass


def test_idle_is_when_all_has_run_that_could(slotd_service: Service) -> None:
    client = slotd_service.client
    first = client.submit("echo", 1)
    jobs = [client.submit("echo", number, depends_on=first) for number in range(100)]
    blocked = client.submit("echo", schedule_time=slotd_service.clock.now.replace(year=2100))
    slotd_service.run_until_idle()
    assert {client.get(job).state for job in jobs} == {JOB_STATE_SUCCEEDED}
    assert client.get(blocked).state == slotd.v1.JOB_STATE_SCHEDULED


def test_what_keeps_it_from_idling_is_named(slotd_service: Service) -> None:
    job = slotd_service.client.submit("patient", "x" * 500, labels={"a": "b"})
    with pytest.raises(AssertionError, match=r"still run:\n  patient\('x{199}…\) in default \{'a': 'b'\}, RUNNING"):
        slotd_service.run_until_idle(timeout=0.1)
    slotd_service.client.cancel(job)
    slotd_service.run_until_idle()


def test_what_still_runs_at_the_end_is_told_to_stop() -> None:
    stopped = threading.Event()

    def run(ctx: slotd.JobContext, payload: object) -> None:
        if ctx.wait_cancelled():
            stopped.set()

    with Service({"run": run}) as service:
        service.client.submit("run")
    assert stopped.wait(10)


def test_what_an_asynchronous_handler_waits_for_is_waited_for() -> None:
    async def slow(ctx: slotd.JobContext, payload: object) -> str:
        await asyncio.sleep(0)
        return "done"

    with Service({"slow": slow}) as service:
        service.client.submit("slow")
        service.run_until_idle()
        (job,) = assert_submitted(service, "slow")
        assert job.state == JOB_STATE_SUCCEEDED
