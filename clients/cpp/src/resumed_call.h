#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "src/peer.h"

namespace slotd {

/// Reads one server-streaming method and calls it again when it was cut. One thread reads; any may close.
template <class Request, class Response>
class ResumedCall {
 public:
  using Stream = grpc::ClientReaderInterface<Response>;
  using Method = std::function<std::unique_ptr<Stream>(grpc::ClientContext*, const Request&)>;

  /// `method` makes the call, `request` says what it asks for, `timeout` is for all of it, from now on.
  ResumedCall(std::shared_ptr<Peer> peer, Method method, std::function<Request()> request, bool resume,
              std::optional<Seconds> timeout)
      : peer_(std::move(peer)),
        method_(std::move(method)),
        request_(std::move(request)),
        resume_(resume),
        outage_(peer_->NewOutage()),
        client_closed_(&peer_->stop(), [this] { closed_.Request(); }) {
    if (timeout) {
      end_ = SteadyNow() + *timeout;
    }
  }

  /// Waits for the next message. False at the end, and once closed. Raises Error, and is closed then.
  bool Read(Response* message) {
    while (!closed_.requested()) {
      if (!call_) {
        call_ = std::make_unique<Call>(this);
      }
      if (call_->stream->Read(message)) {
        peer_->Answered();
        outage_.Answered();
        return true;
      }
      const grpc::Status status = call_->stream->Finish();
      call_.reset();
      if (closed_.requested()) {
        return false;
      }
      if (status.ok()) {
        Close();
        return false;
      }
      Recover(peer_->Refused(status));
    }
    return false;
  }

  /// Ends the call; a `Read` that waits in another thread returns false.
  void Close() { closed_.Request(); }

 private:
  // One running call. The stream goes first, then the hook that cancels the context, then the context.
  struct Call {
    explicit Call(ResumedCall* owner) : hook(&owner->closed_, [this] { context.TryCancel(); }) {
      owner->peer_->Prepare(&context, owner->Left());
      stream = owner->method_(&context, owner->request_());
    }

    grpc::ClientContext context;
    Stop::Hook hook;
    std::unique_ptr<Stream> stream;
  };

  // Waits before the next try, or raises the error where there shall be none.
  void Recover(const Error& error) {
    const std::optional<Seconds> left = Left();
    const bool over = left && *left <= Seconds(0);
    const std::optional<Seconds> delay = resume_ && !over ? outage_.Failed(error) : std::nullopt;
    if (!delay) {
      Close();
      throw error;
    }
    closed_.Sleep(std::min(*delay, left.value_or(*delay)));
  }

  std::optional<Seconds> Left() const { return end_ ? std::optional(*end_ - SteadyNow()) : std::nullopt; }

  std::shared_ptr<Peer> peer_;
  Method method_;
  std::function<Request()> request_;
  bool resume_;
  Outage outage_;
  std::optional<Seconds> end_;
  Stop closed_;
  Stop::Hook client_closed_;
  // The last, because it goes first: it has a hook on `closed_`.
  std::unique_ptr<Call> call_;
};

}  // namespace slotd
