import { EventType, SlotdError } from "slotd/web";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Polled } from "../src/data/polled";
import { event, FakeService, feedOf, Frames, job } from "./service";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function polled() {
  const service = new FakeService();
  const frames = new Frames();
  const feed = await feedOf(service, frames);
  let asked = 0;
  const fetch = vi.fn(() => Promise.resolve((asked += 1)));
  return {
    feed,
    poll: new Polled(fetch, feed, { gapMs: 500, idleMs: 15_000 }),
    fetch,
    change: async () => {
      await service.stream.send(event(job(1), EventType.CREATED));
      frames.draw();
    },
  };
}

test("nothing is asked while nobody looks", async () => {
  const { fetch, change } = await polled();
  await change();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetch).not.toHaveBeenCalled();
});

test("it is asked at once, then seldom while nothing happens, then not once nobody looks", async () => {
  const { poll, fetch } = await polled();
  const stop = poll.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(poll.read()).toEqual({ value: 1, error: undefined });
  await vi.advanceTimersByTimeAsync(14_999);
  expect(fetch).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(fetch).toHaveBeenCalledTimes(2);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("however much changes, it is asked every half second at most, and after the last change once more", async () => {
  const { poll, fetch, change } = await polled();
  poll.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  for (let ms = 0; ms < 2_000; ms += 50) {
    await change();
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(fetch).toHaveBeenCalledTimes(5);
  await change();
  await vi.advanceTimersByTimeAsync(500);
  expect(fetch).toHaveBeenCalledTimes(6);
});

test("what changes while an answer is on its way is asked for soon after it", async () => {
  const { poll, fetch, change } = await polled();
  let answer: (value: number) => void = () => undefined;
  fetch.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  poll.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  await change();
  answer(0);
  await vi.advanceTimersByTimeAsync(500);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("a tab that is not seen asks nothing until it is seen again", async () => {
  const visible = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  const { poll, fetch, change } = await polled();
  poll.subscribe(() => undefined);
  await change();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetch).not.toHaveBeenCalled();
  visible.mockReturnValue("visible");
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(500);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("a failure leaves the last answer there, and is gone with the next", async () => {
  const { poll, fetch, change } = await polled();
  poll.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  const away = new SlotdError("gone", { code: "UNAVAILABLE" });
  fetch.mockRejectedValueOnce(away);
  await change();
  await vi.advanceTimersByTimeAsync(500);
  expect(poll.read()).toEqual({ value: 1, error: away });
  await change();
  await vi.advanceTimersByTimeAsync(500);
  expect(poll.read()).toEqual({ value: 2, error: undefined });
});

test("what the page itself changed is asked for soon, also where others' changes are not", async () => {
  const { feed, fetch } = await polled();
  const poll = new Polled(fetch, feed, { gapMs: 2_000, idleMs: 5_000 });
  poll.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  poll.refresh();
  await vi.advanceTimersByTimeAsync(500);
  expect(fetch).toHaveBeenCalledTimes(2);
});
