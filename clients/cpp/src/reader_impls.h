#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "slotd/readers.h"
#include "src/progress.h"
#include "src/resumed_call.h"

namespace slotd {

class EventReader::Impl {
 public:
  using Call = ResumedCall<v1::StreamRequest, v1::StreamResponse>;

  Impl(std::shared_ptr<Peer> peer, Call::Method method, v1::StreamRequest request, bool resume,
       std::optional<Seconds> timeout)
      : progress(std::move(request)),
        call(
            std::move(peer), std::move(method), [this] { return progress.Request(); }, resume, timeout) {}

  EventProgress progress;
  Call call;
};

class OutputReader::Impl {
 public:
  using Call = ResumedCall<v1::ReadOutputRequest, v1::ReadOutputResponse>;

  Impl(std::shared_ptr<Peer> peer, Call::Method method, v1::ReadOutputRequest request, std::optional<Seconds> timeout)
      : progress(std::move(request)),
        call(
            std::move(peer), std::move(method), [this] { return progress.Request(); }, /*resume=*/true, timeout) {}

  OutputProgress progress;
  Call call;
};

class JobReader::Impl {
 public:
  using Fetch = std::function<v1::ListResponse(const v1::ListRequest&)>;

  Impl(Fetch fetch_page, v1::ListRequest first) : fetch(std::move(fetch_page)), request(std::move(first)) {}

  Fetch fetch;
  // The page that comes next; nothing after the last.
  std::optional<v1::ListRequest> request;
  v1::ListResponse page;
  // How many jobs of the page have been handed out.
  int used = 0;
};

}  // namespace slotd
