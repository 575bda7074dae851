#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace slotd {

/// The gRPC service config: up to five tries, 0.1 s to 2 s apart, of what is safe to repeat and met UNAVAILABLE.
std::string ServiceConfig();

/// Opens a channel; it connects with the first call. Plain text without credentials. Raises std::invalid_argument for
/// what is no gRPC target.
std::shared_ptr<grpc::ChannelInterface> OpenChannel(const std::string& address,
                                                    const std::shared_ptr<grpc::ChannelCredentials>& credentials);

/// Has a channel that waits before it looks for the service again do so now. gRPC fails a call at once while it waits;
/// with this the first repeat of the call finds a service that has come back meanwhile.
void EndBackoff(grpc::ChannelInterface* channel);

}  // namespace slotd
