import { EventType, JobState, SlotdError } from "slotd/web";
import { afterEach, expect, test, vi } from "vitest";

import { type Changes, Feed } from "../src/data/feed";
import { changed, event, FakeService, feedOf, Frames, job, settled } from "./service";

afterEach(() => {
  vi.useRealTimers();
});

async function running() {
  const service = new FakeService();
  const frames = new Frames();
  const feed = await feedOf(service, frames);
  const told: Changes[] = [];
  feed.onChanges((changes) => told.push(changes));
  return { service, frames, feed, told };
}

test("the stream begins where the first list was taken, and asks for the newest states with progress", async () => {
  const { service } = await running();
  expect(service.streams).toHaveLength(1);
  expect(service.stream.options).toMatchObject({ cursor: "start", delivery: 2, includeProgress: true });
});

test("events of one frame are told at once, each job in its newest state", async () => {
  const { service, frames, told } = await running();
  await service.stream.send(
    event(job(1)),
    event(changed(job(1), JobState.RUNNING, 3)),
    event(job(2)),
    event(job(2, { revision: 5n }), EventType.DELETED),
  );
  expect(told).toHaveLength(0);
  expect(frames.asked).toBe(1);
  frames.draw();
  expect(told).toHaveLength(1);
  expect([...(told[0]?.changed.values() ?? [])].map(({ state, revision }) => [state, revision])).toEqual([
    [JobState.RUNNING, 3n],
  ]);
  expect([...(told[0]?.deleted ?? [])]).toEqual([job(2).id]);
});

test("a frame without events tells nothing, and none is asked for", async () => {
  const { service, frames, told } = await running();
  await service.stream.send(event(job(1)));
  frames.draw();
  frames.draw();
  expect(told).toHaveLength(1);
  expect(frames.asked).toBe(0);
});

test("each single event is told to who counts them", async () => {
  const { service, feed } = await running();
  const revisions: bigint[] = [];
  feed.onEvent(({ revision }) => revisions.push(revision));
  await service.stream.send(event(job(1)), event(changed(job(1), JobState.RUNNING, 2)));
  expect(revisions).toEqual([1n, 2n]);
});

test("a tab that gets no frames keeps no more than five thousand jobs waiting", async () => {
  const { service, told } = await running();
  await service.stream.send(...Array.from({ length: 5_001 }, (_, n) => event(job(n))));
  expect(told.map(({ changed }) => changed.size)).toEqual([5_000]);
});

test("the tab says since when it is cut off, until the stream goes on", async () => {
  vi.useFakeTimers({ now: 1_000, toFake: ["Date"] });
  const { service, feed } = await running();
  expect(feed.connection.read()).toEqual({ state: "connecting" });
  service.stream.options.onSynced?.();
  expect(feed.connection.read()).toEqual({ state: "connected" });
  const away = new SlotdError("gone", { code: "UNAVAILABLE" });
  service.stream.options.onInterrupted?.(away, 100);
  vi.setSystemTime(5_000);
  service.stream.options.onInterrupted?.(away, 200);
  expect(feed.connection.read()).toEqual({ state: "reconnecting", since: 1_000, error: "gone" });
  service.stream.options.onResumed?.();
  expect(feed.connection.read()).toEqual({ state: "connected" });
});

test("trying now goes on from the cursor of the stream that is given up", async () => {
  const { service, feed } = await running();
  await service.stream.send(event(job(7)));
  feed.reconnect();
  await settled();
  expect(service.streams.map(({ options }) => options.cursor)).toEqual(["start", "after 7"]);
});

test("trying now leaves a stream alone that is connected", async () => {
  const { service, feed } = await running();
  service.stream.options.onSynced?.();
  feed.reconnect();
  await settled();
  expect(service.streams).toHaveLength(1);
});

test("a cursor that is refused leads to a new start, which is told", async () => {
  const { service, feed } = await running();
  const restarted = vi.fn();
  feed.onRestart(restarted);
  service.cursor = "later";
  await service.stream.fail("CURSOR_EXPIRED");
  expect(restarted).toHaveBeenCalledTimes(1);
  expect(service.stream.options.cursor).toBe("later");
});

test("a service that refuses every cursor is not asked without a pause", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const { service } = await running();
  await service.stream.fail("CURSOR_FOREIGN");
  await service.stream.fail("CURSOR_FOREIGN");
  expect(service.streams).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(service.streams).toHaveLength(3);
});

test("after any other failure it goes on from the cursor, a while later", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const { service, feed } = await running();
  await service.stream.send(event(job(7)));
  await service.stream.fail("", "UNAVAILABLE");
  expect(feed.connection.read().state).toBe("reconnecting");
  expect(service.streams).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(service.stream.options.cursor).toBe("after 7");
});

test("a feed that is closed asks no more", async () => {
  const { service, feed } = await running();
  feed.close();
  await settled();
  expect(service.streams).toHaveLength(1);
});

test("a feed that is closed while it starts ends, too", async () => {
  const service = new FakeService();
  const feed = new Feed(service.client, new Frames().schedule);
  const run = feed.run();
  feed.close();
  await run;
  expect(feed.connection.read()).toEqual({ state: "connecting" });
});
