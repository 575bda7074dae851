"""ReadOutput on the real core, without the wire."""

import asyncio

import pytest

from slotd import v1
from slotd_server.domain.errors import NotFound, OffsetOutOfRange
from tests.unit.rpc.core import NO_CONTEXT, Core
from tests.unit.rpc.samples import JOB_ID


async def read(core: Core, job_id: str, offset: int = 0, *, follow: bool = False) -> list[v1.ReadOutputResponse]:
    request = v1.ReadOutputRequest(id=job_id, offset=offset, follow=follow)
    return [answer async for answer in core.jobs.ReadOutput(request, NO_CONTEXT)]


async def ended(core: Core, *pieces: bytes) -> str:
    """A job that wrote these pieces and ended."""
    await core.submit()
    job = await core.start()
    for piece in pieces:
        await core.write(job, piece)
    await core.finish(job)
    return job.id


async def test_a_terminal_jobs_output_ends_with_eof(core: Core) -> None:
    job_id = await ended(core, b"one ", b"two")
    assert await read(core, job_id) == [v1.ReadOutputResponse(data=b"one two", eof=True)]
    assert await read(core, job_id, 5, follow=True) == [v1.ReadOutputResponse(offset=5, data=b"wo", eof=True)]
    assert await read(core, job_id, 7) == [v1.ReadOutputResponse(offset=7, eof=True)]


async def test_no_output_is_an_end_too(core: Core) -> None:
    assert await read(core, await ended(core)) == [v1.ReadOutputResponse(eof=True)]


async def test_an_offset_beyond_the_end_is_refused(core: Core) -> None:
    job_id = await ended(core, b"1234567")
    with pytest.raises(OffsetOutOfRange):
        await read(core, job_id, 8)
    with pytest.raises(NotFound):
        await read(core, JOB_ID)


async def test_much_output_comes_in_pieces(core: Core) -> None:
    data = bytes(range(256)) * 2500
    job_id = await ended(core, data[:100_000], data[100_000:])
    for offset in (0, 1, 123_456):
        answers = await read(core, job_id, offset)
        assert b"".join(answer.data for answer in answers) == data[offset:]
        assert all(len(answer.data) <= 64 << 10 for answer in answers)
        assert [answer.eof for answer in answers] == [False] * (len(answers) - 1) + [True]
        place = offset
        for answer in answers:
            assert answer.offset == place
            place += len(answer.data)


async def test_a_running_jobs_output_ends_where_it_is(core: Core) -> None:
    await core.submit()
    job = await core.start()
    assert await read(core, job.id) == []
    await core.write(job, b"one")
    assert await read(core, job.id) == [v1.ReadOutputResponse(data=b"one")]
    assert await read(core, job.id, 3) == []
    assert await read(core, job.id, 99) == []


async def test_following_goes_on_to_the_end(core: Core) -> None:
    waiting = await core.submit()
    answers = core.jobs.ReadOutput(v1.ReadOutputRequest(id=waiting.id, offset=1, follow=True), NO_CONTEXT)
    first = asyncio.ensure_future(anext(aiter(answers)))
    job = await core.start()
    await core.write(job, b"x")
    await core.write(job, b"one")
    assert (await first).offset == 1
    assert (await first).data == b"one"
    second = asyncio.ensure_future(anext(aiter(answers)))
    await core.finish(job, output=b"two")
    assert await second == v1.ReadOutputResponse(offset=4, data=b"two", eof=True)
    assert [answer async for answer in answers] == []


async def test_following_beyond_what_is_ever_written_is_refused_at_the_end(core: Core) -> None:
    await core.submit()
    job = await core.start()
    reading = asyncio.ensure_future(read(core, job.id, 10, follow=True))
    await core.write(job, b"short")
    await core.finish(job)
    with pytest.raises(OffsetOutOfRange):
        await reading


async def test_following_ends_when_the_job_is_deleted(core: Core) -> None:
    job = await core.submit()
    reading = asyncio.ensure_future(read(core, job.id, follow=True))
    await core.jobs.Get(v1.GetRequest(id=job.id), NO_CONTEXT)
    await core.jobs.Delete(v1.DeleteRequest(id=job.id, force=True), NO_CONTEXT)
    with pytest.raises(NotFound):
        await reading
