/** How the client's channels are set up: addresses, sizes, keepalive, reconnecting, and which calls gRPC repeats. */

import type { ChannelOptions } from "@grpc/grpc-js";

import { REPEAT, REPEATED_METHODS } from "./caller.js";

const MESSAGE_BYTES = 32 * 1024 * 1024;

/** The address of a client that is given none: SLOTD_ADDRESS, or where a service on this machine listens. */
export function defaultAddress(): string {
  const address = process.env["SLOTD_ADDRESS"];
  return address === undefined || address === "" ? "127.0.0.1:7433" : address;
}

/** The gRPC service config: up to five tries, 0.1 s to 2 s apart, of what is safe to repeat and met UNAVAILABLE. */
export function serviceConfig(): string {
  const seconds = (milliseconds: number): string => `${milliseconds / 1000}s`;
  const retryPolicy = {
    maxAttempts: REPEAT.tries,
    initialBackoff: seconds(REPEAT.initialMs),
    maxBackoff: seconds(REPEAT.maximumMs),
    backoffMultiplier: REPEAT.multiplier,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const name = Array.from(REPEATED_METHODS, (method) => ({ service: method.parent.typeName, method: method.name }));
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
