#include "slotd/client.h"

#include "src/channel.h"
#include "src/peer.h"
#include "src/progress.h"
#include "src/reader_impls.h"
#include "src/request_id.h"
#include "src/stop.h"

namespace slotd {
namespace {

using Jobs = v1::JobService::StubInterface;

void Identify(v1::SubmitRequest* request) {
  if (request->request_id().empty()) {
    request->set_request_id(NewRequestId());
  }
}

}  // namespace

struct Client::Connection {
  Connection(const std::string& address, ClientOptions options)
      : channel(options.channel ? options.channel : OpenChannel(address, options.credentials)),
        jobs(v1::JobService::NewStub(channel)),
        queues(v1::QueueService::NewStub(channel)),
        schedules(v1::ScheduleService::NewStub(channel)),
        workers(v1::WorkerService::NewStub(channel)),
        timeout(options.timeout),
        peer(std::make_shared<Peer>(address, std::move(options.metadata), options.reconnect)) {}

  // Makes a unary call, which closing the client cancels.
  grpc::Status Make(const std::function<grpc::Status(grpc::ClientContext*)>& call,
                    std::optional<Seconds> call_timeout) {
    EndBackoff(channel.get());
    grpc::ClientContext context;
    peer->Prepare(&context, call_timeout);
    const Stop::Hook hook(&peer->stop(), [&context] { context.TryCancel(); });
    return call(&context);
  }

  std::shared_ptr<grpc::ChannelInterface> channel;
  std::unique_ptr<v1::JobService::StubInterface> jobs;
  std::unique_ptr<v1::QueueService::StubInterface> queues;
  std::unique_ptr<v1::ScheduleService::StubInterface> schedules;
  std::unique_ptr<v1::WorkerService::StubInterface> workers;
  std::optional<Seconds> timeout;
  std::shared_ptr<Peer> peer;
};

Client::Client(const std::string& address, ClientOptions options)
    : connection_(std::make_shared<Connection>(address, std::move(options))) {}
Client::Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

void Client::Close() { connection_->peer->stop().Request(); }

v1::SubmitResponse Client::Submit(v1::SubmitRequest request, const CallOptions& options) {
  Identify(&request);
  return Call(&Jobs::Submit, request, options);
}

v1::SubmitResponse Client::Submit(v1::JobSpec spec, const CallOptions& options) {
  v1::SubmitRequest request;
  *request.mutable_spec() = std::move(spec);
  return Submit(std::move(request), options);
}

v1::SubmitResponse Client::Submit(const std::string& kind, v1::Payload payload, const CallOptions& options) {
  v1::JobSpec spec;
  spec.set_kind(kind);
  *spec.mutable_payload() = std::move(payload);
  return Submit(std::move(spec), options);
}

v1::SubmitBatchResponse Client::SubmitBatch(v1::SubmitBatchRequest request, const CallOptions& options) {
  for (v1::SubmitRequest& one : *request.mutable_requests()) {
    Identify(&one);
  }
  return Call(&Jobs::SubmitBatch, request, options);
}

v1::SubmitBatchResponse Client::SubmitBatch(std::vector<v1::JobSpec> specs, const CallOptions& options) {
  v1::SubmitBatchRequest request;
  for (v1::JobSpec& spec : specs) {
    *request.add_requests()->mutable_spec() = std::move(spec);
  }
  return SubmitBatch(std::move(request), options);
}

v1::Job Client::Get(const std::string& job_id, v1::JobView view, const CallOptions& options) {
  v1::GetRequest request;
  request.set_id(job_id);
  request.set_view(view);
  return std::move(*Call(&Jobs::Get, request, options).mutable_job());
}

JobReader Client::List(v1::ListRequest request, const CallOptions& options) {
  // The reader may outlive this object, so it has a client of its own on the same connection.
  auto client = std::make_shared<Client>(Client(connection_));
  auto fetch = [client, options](const v1::ListRequest& page) { return client->ListPage(page, options); };
  return JobReader(std::make_unique<JobReader::Impl>(std::move(fetch), std::move(request)));
}

v1::ListResponse Client::ListPage(const v1::ListRequest& request, const CallOptions& options) {
  return Call(&Jobs::List, request, options);
}

v1::Job Client::Wait(const std::string& job_id, const WaitOptions& options) {
  Peer& peer = *connection_->peer;
  WaitProgress progress(job_id, options.view, options.timeout, peer.NewOutage());
  for (;;) {
    const auto [request, call_timeout] = progress.Request();
    v1::WaitResponse answer;
    const grpc::Status status = connection_->Make(
        [&, &wait = request](grpc::ClientContext* context) { return jobs().Wait(context, wait, &answer); },
        call_timeout);
    if (status.ok()) {
      peer.Answered();
      if (progress.Answered(answer.job())) {
        return std::move(*answer.mutable_job());
      }
      continue;
    }
    const Error refused = peer.Refused(status);
    // A closed client has cancelled the call itself, which is no outage.
    const std::optional<Seconds> delay = peer.stop().requested() ? std::nullopt : progress.Failed(refused);
    if (!delay) {
      throw refused;
    }
    // Where the client is closed meanwhile, the next call is cancelled as it begins.
    peer.stop().Sleep(*delay);
  }
}

EventReader Client::Stream(v1::StreamRequest request, const StreamOptions& options) {
  auto method = [connection = connection_](grpc::ClientContext* context, const v1::StreamRequest& of_call) {
    EndBackoff(connection->channel.get());
    return connection->jobs->Stream(context, of_call);
  };
  return EventReader(std::make_unique<EventReader::Impl>(connection_->peer, std::move(method), std::move(request),
                                                         options.resume, options.timeout));
}

OutputReader Client::ReadOutput(const std::string& job_id, const OutputOptions& options) {
  v1::ReadOutputRequest request;
  request.set_id(job_id);
  request.set_offset(options.offset);
  request.set_follow(options.follow);
  auto method = [connection = connection_](grpc::ClientContext* context, const v1::ReadOutputRequest& of_call) {
    EndBackoff(connection->channel.get());
    return connection->jobs->ReadOutput(context, of_call);
  };
  return OutputReader(
      std::make_unique<OutputReader::Impl>(connection_->peer, std::move(method), std::move(request), options.timeout));
}

v1::Job Client::Cancel(const std::string& job_id, const CallOptions& options) {
  v1::CancelRequest request;
  request.set_id(job_id);
  return std::move(*Call(&Jobs::Cancel, request, options).mutable_job());
}

v1::Job Client::Retry(const std::string& job_id, bool dependents, const CallOptions& options) {
  v1::RetryRequest request;
  request.set_id(job_id);
  request.set_dependents(dependents);
  return std::move(*Call(&Jobs::Retry, request, options).mutable_job());
}

void Client::Delete(const std::string& job_id, bool force, const CallOptions& options) {
  v1::DeleteRequest request;
  request.set_id(job_id);
  request.set_force(force);
  Call(&Jobs::Delete, request, options);
}

v1::JobService::StubInterface& Client::jobs() { return *connection_->jobs; }
v1::QueueService::StubInterface& Client::queues() { return *connection_->queues; }
v1::ScheduleService::StubInterface& Client::schedules() { return *connection_->schedules; }
v1::WorkerService::StubInterface& Client::workers() { return *connection_->workers; }

void Client::Run(const std::function<grpc::Status(grpc::ClientContext*)>& call, const CallOptions& options) {
  Peer& peer = *connection_->peer;
  const auto traced = [&](grpc::ClientContext* context) {
    if (!options.traceparent.empty()) {
      context->AddMetadata("traceparent", options.traceparent);
    }
    return call(context);
  };
  const grpc::Status status = connection_->Make(traced, options.timeout ? options.timeout : connection_->timeout);
  if (!status.ok()) {
    throw peer.Refused(status);
  }
  peer.Answered();
}

}  // namespace slotd
