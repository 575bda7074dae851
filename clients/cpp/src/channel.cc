#include "src/channel.h"

#include <array>
#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string_view>

#include "slotd/client.h"

namespace slotd {
namespace {

constexpr int kMessageBytes = 32 * 1024 * 1024;
constexpr int kMetadataBytes = 64 * 1024;

struct Repeated {
  const char* service;
  std::initializer_list<const char*> methods;
};

// Answering a second time does no harm and says the same: reads, requests with an id, settings given as absolute
// values. Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts twice); Delete, Purge
// and what works in bulk (the repeat would answer NOT_FOUND or a count too low though the first one worked); Update
// (the first moved the revision that the repeat names); Create of a schedule (the repeat would find one of that name).
// Wait, Stream and ReadOutput are not here because the client itself repeats them, from where they were cut.
const std::initializer_list<Repeated> kRepeated = {
    {"slotd.v1.JobService", {"Submit", "SubmitBatch", "Get", "List", "Cancel", "GetGroup"}},
    {"slotd.v1.QueueService",
     {"GetQueue", "ListQueues", "UpdateQueue", "ListSlots", "UpdateSlots", "GetStats", "ListServers"}},
    {"slotd.v1.ScheduleService", {"Get", "List", "Pause", "Resume", "Trigger"}},
};

bool StartsWith(const std::string& text, std::string_view start) { return text.compare(0, start.size(), start) == 0; }

bool IsLocal(const std::string& address) {
  constexpr std::array<std::string_view, 6> kLocal = {"unix:",     "unix-abstract:", "127.",
                                                      "localhost", "[::1]",          "ipv4:127."};
  for (const std::string_view start : kLocal) {
    if (StartsWith(address, start)) {
      return true;
    }
  }
  return false;
}

void CheckAddress(const std::string& address) {
  if (address.empty() || address.find_first_of(" \t\r\n") != std::string::npos) {
    throw std::invalid_argument("not an address: '" + address + "'; it looks like 127.0.0.1:7433 or unix:/path");
  }
  for (const char* scheme : {"http://", "https://", "grpc://"}) {
    if (StartsWith(address, scheme)) {
      throw std::invalid_argument("an address has no scheme: " + address);
    }
  }
}

}  // namespace

std::string DefaultAddress() {
  const char* address = std::getenv("SLOTD_ADDRESS");
  return address != nullptr && *address != '\0' ? address : "127.0.0.1:7433";
}

std::string ServiceConfig() {
  std::string names;
  for (const auto& [service, methods] : kRepeated) {
    for (const char* method : methods) {
      names += names.empty() ? "" : ", ";
      names += std::string(R"({"service": ")") + service + R"(", "method": ")" + method + R"("})";
    }
  }
  return R"({"methodConfig": [{"name": [)" + names +
         R"(], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", )" +
         R"("maxBackoff": "2s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
}

grpc::ChannelArguments DefaultChannelArguments(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(ServiceConfig());
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 1);
  // gRPC repeats nothing larger than this, 256 KiB by default.
  arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, kMessageBytes);
  arguments.SetMaxReceiveMessageSize(kMessageBytes);
  arguments.SetMaxSendMessageSize(kMessageBytes);
  // The service takes a ping every 10 s and no more often.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // gRPC's own defaults wait up to two minutes before they look again for a service that was restarted.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // Else a new client begins in the backoff of an older one to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A BadRequest with many violations travels in the trailing metadata.
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
  if (IsLocal(address)) {
    // A proxy from the environment can't reach this machine's own addresses.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return arguments;
}

std::shared_ptr<grpc::ChannelInterface> OpenChannel(const std::string& address,
                                                    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  CheckAddress(address);
  return grpc::CreateCustomChannel(address, credentials ? credentials : grpc::InsecureChannelCredentials(),
                                   DefaultChannelArguments(address));
}

void EndBackoff(grpc::ChannelInterface* channel) {
  if (channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    return;
  }
  // Anything else is a channel of the caller's making, which has its own ways.
  if (auto* real = dynamic_cast<grpc::Channel*>(channel)) {
    grpc::experimental::ChannelResetConnectionBackoff(real);
  }
}

}  // namespace slotd
