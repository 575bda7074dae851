import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType, type Job, JobState, SlotdError } from "slotd/web";
import { PayloadSchema } from "slotd/v1";
import { expect, test, vi } from "vitest";

import { JobDetail } from "../src/data/job-detail";
import { changed, event, FakeService, feedOf, Frames, job, settled } from "./service";

const data = (text: string) =>
  create(PayloadSchema, { contentType: "text/plain", data: new TextEncoder().encode(text) });
const BASIC = create(PayloadSchema, { contentType: "text/plain" });

async function shown(whole: Job, known?: Job) {
  const service = new FakeService();
  const frames = new Frames();
  const feed = await feedOf(service, frames);
  const get = vi.fn(() => Promise.resolve(whole));
  const detail = new JobDetail({ get }, feed, whole.id, known);
  detail.subscribe(() => undefined);
  return {
    service,
    get,
    detail,
    happens: async (...events: ReturnType<typeof event>[]) => {
      await service.stream.send(...events);
      frames.draw();
      await settled();
    },
  };
}

test("what was known is shown until the whole job comes", async () => {
  const { detail } = await shown(job(1, { spec: { payload: data("in") } }), job(1));
  expect(detail.read().job?.spec?.payload).toBeUndefined();
  await settled();
  expect(detail.read().job?.spec?.payload).toEqual(data("in"));
});

test("events move it on, without its payload being lost", async () => {
  const { detail, happens, get } = await shown(job(1, { spec: { payload: data("in") } }));
  await settled();
  await happens(event(changed(job(1, { spec: { payload: BASIC } }), JobState.RUNNING, 5)));
  expect(detail.read().job).toMatchObject({ state: JobState.RUNNING, spec: { payload: data("in") } });
  expect(get).toHaveBeenCalledTimes(1);
});

test("once there is a result the whole job is asked for again", async () => {
  const done = { ...changed(job(1), JobState.SUCCEEDED, 9), endTime: timestampFromMs(1), result: data("out") };
  const { detail, happens, get } = await shown(job(1));
  await settled();
  get.mockResolvedValue(done);
  await happens(event({ ...done, result: BASIC }));
  expect(detail.read().job?.result).toEqual(data("out"));
});

test("an answer that is older than what the feed has told does not undo it", async () => {
  const { detail, happens, get } = await shown(job(1));
  let answer: (job: Job) => void = () => undefined;
  await settled();
  get.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  await happens(event({ ...changed(job(1), JobState.SUCCEEDED, 8), result: BASIC }));
  await happens(event(changed(job(1), JobState.QUEUED, 12)));
  answer(changed(job(1), JobState.SUCCEEDED, 8));
  await settled();
  expect(detail.read().job).toMatchObject({ state: JobState.QUEUED, revision: 12n });
});

test("a job that is deleted while one looks stays to be seen, and is said to be gone", async () => {
  const { detail, happens } = await shown(job(1));
  await settled();
  await happens(event(job(1, { revision: 5n }), EventType.DELETED));
  expect(detail.read()).toMatchObject({ deleted: true, job: { id: job(1).id } });
});

test("a job that is not there is said not to be, and one that could not be reached is asked for again", async () => {
  const { detail, get, service } = await shown(job(1));
  await settled();
  get.mockRejectedValueOnce(new SlotdError("away", { code: "UNAVAILABLE" }));
  await service.stream.fail("CURSOR_EXPIRED");
  await settled();
  expect(detail.read().error?.code).toBe("UNAVAILABLE");
  service.stream.options.onSynced?.();
  await settled();
  expect(detail.read().error).toBeUndefined();
});
