#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "slotd/backoff.h"
#include "slotd/error.h"
#include "slotd/payload.h"
#include "slotd/readers.h"
#include "slotd/v1/job_service.grpc.pb.h"
#include "slotd/v1/queue_service.grpc.pb.h"
#include "slotd/v1/schedule_service.grpc.pb.h"
#include "slotd/v1/worker_service.grpc.pb.h"
#include "slotd/version.h"

namespace slotd {

/// SLOTD_ADDRESS from the environment, else `127.0.0.1:7433`.
std::string DefaultAddress();

/// The channel arguments that a client uses for an address: message sizes of 32 MiB, keepalive, quick reconnects, and
/// gRPC's own retries of the methods that are safe to repeat. For a channel of your own.
grpc::ChannelArguments DefaultChannelArguments(const std::string& address);

/// How a client is set up.
struct ClientOptions {
  /// The longest that one unary call may take, its repeats included; without a value there is no limit.
  std::optional<Seconds> timeout = Seconds(30);
  /// Sent with every call.
  std::vector<std::pair<std::string, std::string>> metadata;
  /// For TLS; plain text without.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  /// Used instead of a new one; address and credentials then say nothing to it.
  std::shared_ptr<grpc::ChannelInterface> channel;
  /// How readers and waits try again after a cut.
  Backoff reconnect;
};

/// How one call is made.
struct CallOptions {
  /// The longest that it may take, its repeats included; without a value the client's.
  std::optional<Seconds> timeout;
  /// The span that it belongs to, as W3C Trace Context has it, and with Submit the job; empty for none.
  std::string traceparent = {};
};

/// What to wait for.
struct WaitOptions {
  /// The longest wait; without a value for as long as it takes.
  std::optional<Seconds> timeout;
  /// FULL by default.
  v1::JobView view = v1::JOB_VIEW_UNSPECIFIED;
};

/// How a stream of events is read.
struct StreamOptions {
  /// Go on by cursor when the connection or the service goes away; else raise UNAVAILABLE or CANCELLED.
  bool resume = true;
  /// The longest that the whole stream may take, after which DEADLINE_EXCEEDED is raised; without a value for ever.
  std::optional<Seconds> timeout;
};

/// How output is read.
struct OutputOptions {
  /// From which byte.
  std::int64_t offset = 0;
  /// Go on until the job is terminal.
  bool follow = false;
  /// The longest that all of it may take, after which DEADLINE_EXCEEDED is raised; without a value for ever.
  std::optional<Seconds> timeout;
};

/// A connection to one slotd service; it connects with the first call. Safe for use by several threads, except for
/// being moved and destroyed.
///
/// Every method blocks, and raises slotd::Error on the thread that called it. The library makes no threads of its own.
/// Calls that are safe to repeat are repeated on UNAVAILABLE, up to five times within some two seconds. Those are not
/// whose answer could be wrong then: Retry and Delete, and of the raw methods Update, Purge, what works in bulk, and
/// making, changing and deleting schedules. No call waits for a service that is not there: it raises UNAVAILABLE.
class Client {
 public:
  /// `address` is HOST:PORT, unix:PATH, or any other gRPC target. Raises std::invalid_argument for what is none, above
  /// all a URL.
  explicit Client(const std::string& address = DefaultAddress(), ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// Lets go of the connection. Readers that are still open go on, and hold it until they end.
  ~Client();

  /// Ends calls under way in other threads, which then raise CANCELLED, and all open readers, which then are at their
  /// end. Later calls raise CANCELLED.
  void Close();

  /// Submits a job, durably once this returns: its `job()`, and the `cursor()` of a stream that misses nothing of it. A
  /// request_id is added where there is none, so that a repeat makes no second job.
  v1::SubmitResponse Submit(v1::SubmitRequest request, const CallOptions& options = {});
  v1::SubmitResponse Submit(v1::JobSpec spec, const CallOptions& options = {});
  v1::SubmitResponse Submit(const std::string& kind, v1::Payload payload = {}, const CallOptions& options = {});

  /// Submits jobs in order, all or none, in one call; 1,000 jobs and 16 MiB at most. They come back without their
  /// payloads where these are more than 2 MiB.
  v1::SubmitBatchResponse SubmitBatch(v1::SubmitBatchRequest request, const CallOptions& options = {});
  v1::SubmitBatchResponse SubmitBatch(std::vector<v1::JobSpec> specs, const CallOptions& options = {});

  /// Tells how a job is, in full by default.
  v1::Job Get(const std::string& job_id, v1::JobView view = v1::JOB_VIEW_UNSPECIFIED, const CallOptions& options = {});

  /// The jobs that match, newest first by default, over all pages. `options` are those of each page.
  JobReader List(v1::ListRequest request = {}, const CallOptions& options = {});

  /// One page of `List`, with the token of the next one, and the cursor to stream from.
  v1::ListResponse ListPage(const v1::ListRequest& request, const CallOptions& options = {});

  /// Waits until a job is terminal; returns it, or as it is after the timeout: look at its state. It goes on over
  /// reconnects and restarts of the service. Raises NOT_FOUND also when the job is deleted meanwhile.
  v1::Job Wait(const std::string& job_id, const WaitOptions& options = {});

  /// Streams what happens to the jobs that match, from the first read on or from a cursor.
  EventReader Stream(v1::StreamRequest request = {}, const StreamOptions& options = {});

  /// Reads what a job wrote.
  OutputReader ReadOutput(const std::string& job_id, const OutputOptions& options = {});

  /// Cancels a job: a waiting one is CANCELLED at once, a running one has `cancel_requested` until it stops.
  v1::Job Cancel(const std::string& job_id, const CallOptions& options = {});

  /// Puts a FAILED or CANCELLED job back, with fresh attempts; with `dependents` those too that failed for it.
  v1::Job Retry(const std::string& job_id, bool dependents = false, const CallOptions& options = {});

  /// Deletes a terminal job; with `force` any, which is cancelled first.
  void Delete(const std::string& job_id, bool force = false, const CallOptions& options = {});

  /// Calls any unary method of a raw stub as the methods above do: with the client's deadline and metadata, raising
  /// slotd::Error.
  ///
  ///     client.Call(&slotd::v1::QueueService::StubInterface::GetQueue, request).queue()
  template <class Stub, class Request, class Response>
  Response Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                const CallOptions& options = {}) {
    Response response;
    Stub& stub = StubOf(static_cast<Stub*>(nullptr));
    Run([&](grpc::ClientContext* context) { return (stub.*method)(context, request, &response); }, options);
    return response;
  }

  /// The raw stubs, for streams of your own and asynchronous calls. They are there as long as the client is.
  v1::JobService::StubInterface& jobs();
  v1::QueueService::StubInterface& queues();
  v1::ScheduleService::StubInterface& schedules();
  v1::WorkerService::StubInterface& workers();

 private:
  struct Connection;

  explicit Client(std::shared_ptr<Connection> connection);

  v1::JobService::StubInterface& StubOf(v1::JobService::StubInterface* /*which*/) { return jobs(); }
  v1::QueueService::StubInterface& StubOf(v1::QueueService::StubInterface* /*which*/) { return queues(); }
  v1::ScheduleService::StubInterface& StubOf(v1::ScheduleService::StubInterface* /*which*/) { return schedules(); }
  v1::WorkerService::StubInterface& StubOf(v1::WorkerService::StubInterface* /*which*/) { return workers(); }

  void Run(const std::function<grpc::Status(grpc::ClientContext*)>& call, const CallOptions& options);

  std::shared_ptr<Connection> connection_;
};

}  // namespace slotd
