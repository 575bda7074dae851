/** How the client's channels are set up: addresses, sizes, keepalive, reconnecting, and which calls gRPC repeats. */

import type { ChannelOptions } from "@grpc/grpc-js";

import { JobService, QueueService, ScheduleService, WorkerService } from "./v1.js";

const MESSAGE_BYTES = 32 * 1024 * 1024;

// Answering a second time does no harm and says the same: reads, requests with an id, settings given as absolute
// values. Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts twice); Delete, Purge
// and what works in bulk (the repeat would answer NOT_FOUND or a count too low though the first one worked); Update (the
// first moved the revision that the repeat names); Create of a schedule (the repeat would find one of that name). Wait,
// Stream and ReadOutput are not here because the client itself repeats them, from where they were cut.
const REPEATED_METHODS = [
  JobService.method.submit,
  JobService.method.submitBatch,
  JobService.method.get,
  JobService.method.list,
  JobService.method.cancel,
  JobService.method.getGroup,
  QueueService.method.getQueue,
  QueueService.method.listQueues,
  QueueService.method.updateQueue,
  QueueService.method.listSlots,
  QueueService.method.updateSlots,
  QueueService.method.getStats,
  QueueService.method.listServers,
  ScheduleService.method.get,
  ScheduleService.method.list,
  ScheduleService.method.pause,
  ScheduleService.method.resume,
  ScheduleService.method.trigger,
  WorkerService.method.listWorkers,
];

/** The address of a client that is given none: SLOTD_ADDRESS, or where a service on this machine listens. */
export function defaultAddress(): string {
  const address = process.env["SLOTD_ADDRESS"];
  return address === undefined || address === "" ? "127.0.0.1:7433" : address;
}

/** The gRPC service config: up to five tries, 0.1 s to 2 s apart, of what is safe to repeat and met UNAVAILABLE. */
export function serviceConfig(): string {
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: "0.1s",
    maxBackoff: "2s",
    backoffMultiplier: 2,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const name = REPEATED_METHODS.map((method) => ({ service: method.parent.typeName, method: method.name }));
  return JSON.stringify({ methodConfig: [{ name, retryPolicy }] });
}

/** The channel options for an address; those of `extra` win. */
export function channelOptions(address: string, extra: ChannelOptions = {}): ChannelOptions {
  return {
    "grpc.service_config": serviceConfig(),
    "grpc.service_config_disable_resolution": 1,
    "grpc.max_receive_message_length": MESSAGE_BYTES,
    "grpc.max_send_message_length": MESSAGE_BYTES,
    // A request that does not fit is not repeated; by default that is any above 1 MiB.
    "grpc.per_rpc_retry_buffer_size": MESSAGE_BYTES,
    "grpc.retry_buffer_size": 2 * MESSAGE_BYTES,
    // The service takes a ping every 10 s and no more often.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // gRPC's own defaults wait up to two minutes before they look again for a service that was restarted.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    // Else a new client begins in the backoff of an older one to the same address.
    "grpc.use_local_subchannel_pool": 1,
    // A proxy from the environment can't reach this machine's own addresses.
    ...(isLocal(address) ? { "grpc.enable_http_proxy": 0 } : {}),
    ...extra,
  };
}

/** Throws TypeError for what is no gRPC target, above all a URL. */
export function checkAddress(address: string): void {
  if (address === "" || address !== address.trim()) {
    throw new TypeError(`not an address: "${address}"; it looks like 127.0.0.1:7433 or unix:/path`);
  }
  const url = /^(?:https?|grpc):\/\/(.*?)\/*$/.exec(address);
  if (url) {
    throw new TypeError(`an address has no scheme: "${url[1]}" instead of "${address}"`);
  }
}

function isLocal(address: string): boolean {
  return /^(unix:|unix-abstract:|127\.|localhost|\[::1\]|ipv4:127\.)/.test(address);
}
