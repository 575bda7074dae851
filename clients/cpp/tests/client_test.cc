#include "slotd/client.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <mutex>

#include "tests/events.h"
#include "tests/refusals.h"

namespace {

using slotd::Client;
using slotd::Error;
using slotd::Seconds;

// A service on this machine whose methods answer as a test says.
class Service final : public slotd::v1::JobService::Service {
 public:
  template <class Request, class Response>
  using Method = std::function<grpc::Status(const Request&, Response*)>;

  Method<slotd::v1::SubmitRequest, slotd::v1::SubmitResponse> submit;
  Method<slotd::v1::SubmitBatchRequest, slotd::v1::SubmitBatchResponse> submit_batch;
  Method<slotd::v1::GetRequest, slotd::v1::GetResponse> get;
  Method<slotd::v1::ListRequest, slotd::v1::ListResponse> list;
  Method<slotd::v1::WaitRequest, slotd::v1::WaitResponse> wait;
  Method<slotd::v1::RetryRequest, slotd::v1::RetryResponse> retry;
  std::function<grpc::Status(grpc::ServerWriter<slotd::v1::StreamResponse>*)> stream;
  // The values of these headers in the newest Get.
  std::string tenant;
  std::string traceparent;

  Service() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }

  const std::string& address() const { return address_; }

 private:
  static std::string Header(const grpc::ServerContext& context, const std::string& name) {
    const auto header = context.client_metadata().find(name);
    return header == context.client_metadata().end() ? "" : std::string(header->second.data(), header->second.size());
  }

  grpc::Status Submit(grpc::ServerContext* /*context*/, const slotd::v1::SubmitRequest* request,
                      slotd::v1::SubmitResponse* response) override {
    return submit(*request, response);
  }
  grpc::Status SubmitBatch(grpc::ServerContext* /*context*/, const slotd::v1::SubmitBatchRequest* request,
                           slotd::v1::SubmitBatchResponse* response) override {
    return submit_batch(*request, response);
  }
  grpc::Status Get(grpc::ServerContext* context, const slotd::v1::GetRequest* request,
                   slotd::v1::GetResponse* response) override {
    tenant = Header(*context, "tenant");
    traceparent = Header(*context, "traceparent");
    return get(*request, response);
  }
  grpc::Status List(grpc::ServerContext* /*context*/, const slotd::v1::ListRequest* request,
                    slotd::v1::ListResponse* response) override {
    return list(*request, response);
  }
  grpc::Status Wait(grpc::ServerContext* /*context*/, const slotd::v1::WaitRequest* request,
                    slotd::v1::WaitResponse* response) override {
    return wait(*request, response);
  }
  grpc::Status Retry(grpc::ServerContext* /*context*/, const slotd::v1::RetryRequest* request,
                     slotd::v1::RetryResponse* response) override {
    return retry(*request, response);
  }
  grpc::Status Stream(grpc::ServerContext* /*context*/, const slotd::v1::StreamRequest* /*request*/,
                      grpc::ServerWriter<slotd::v1::StreamResponse>* writer) override {
    return stream(writer);
  }

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// Something that a test lets happen. Made before the service whose methods wait for it, and so gone after it.
class Gate {
 public:
  void Open() { opened_.set_value(); }
  void Wait() { open_.wait(); }

 private:
  std::promise<void> opened_;
  std::shared_future<void> open_ = opened_.get_future().share();
};

grpc::StatusCode Raised(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return grpc::StatusCode::OK;
}

slotd::v1::Job Named(const std::string& id) {
  slotd::v1::Job job;
  job.set_id(id);
  return job;
}

TEST(ClientTest, ASubmitIsRepeatedWithTheSameRequestId) {
  Service service;
  std::vector<std::string> ids;
  service.submit = [&](const auto& request, auto* response) {
    ids.push_back(request.request_id());
    response->mutable_job()->set_id("1");
    return ids.size() == 1 ? slotd_test::Cut() : grpc::Status::OK;
  };
  Client client(service.address());

  EXPECT_EQ(client.Submit("noop", slotd::TextPayload("a")).job().id(), "1");
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0].size(), 36U);
}

TEST(ClientTest, ARequestIdOfTheCallersIsKept) {
  Service service;
  std::string id;
  service.submit = [&](const auto& request, auto* /*response*/) {
    id = request.request_id();
    return grpc::Status::OK;
  };
  slotd::v1::SubmitRequest request;
  request.set_request_id("mine");
  Client(service.address()).Submit(request);

  EXPECT_EQ(id, "mine");
}

TEST(ClientTest, EachJobOfABatchHasARequestIdOfItsOwn) {
  Service service;
  slotd::v1::SubmitBatchRequest seen;
  service.submit_batch = [&](const auto& request, auto* /*response*/) {
    seen = request;
    return grpc::Status::OK;
  };
  slotd::v1::JobSpec spec;
  spec.set_kind("noop");
  Client(service.address()).SubmitBatch({spec, spec});

  ASSERT_EQ(seen.requests_size(), 2);
  EXPECT_EQ(seen.requests(1).spec().kind(), "noop");
  EXPECT_FALSE(seen.requests(0).request_id().empty());
  EXPECT_NE(seen.requests(0).request_id(), seen.requests(1).request_id());
}

TEST(ClientTest, ARetryOfAJobIsNotRepeated) {
  Service service;
  int calls = 0;
  service.retry = [&](const auto& /*request*/, auto* /*response*/) {
    ++calls;
    return slotd_test::Cut();
  };
  Client client(service.address());

  EXPECT_EQ(Raised([&] { client.Retry("1"); }), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(calls, 1);
}

TEST(ClientTest, AListGoesOverAllPages) {
  Service service;
  service.list = [&](const slotd::v1::ListRequest& request, auto* response) {
    const int page = request.page_token().empty() ? 0 : std::stoi(request.page_token());
    response->set_cursor("c");
    // The second page is empty, as a page may be.
    if (page != 1) {
      *response->add_jobs() = Named(std::to_string(page) + "a");
      *response->add_jobs() = Named(std::to_string(page) + "b");
    }
    response->set_next_page_token(page < 2 ? std::to_string(page + 1) : "");
    return grpc::Status::OK;
  };
  Client client(service.address());
  slotd::JobReader jobs = client.List();
  std::vector<std::string> ids;
  for (const slotd::v1::Job& job : jobs) {
    ids.push_back(job.id());
  }

  EXPECT_EQ(ids, (std::vector<std::string>{"0a", "0b", "2a", "2b"}));
  EXPECT_EQ(jobs.cursor(), "c");
}

TEST(ClientTest, AWaitGoesOnOverUnavailableUntilTheJobHasEnded) {
  Service service;
  int calls = 0;
  service.wait = [&](const slotd::v1::WaitRequest& request, slotd::v1::WaitResponse* response) {
    ++calls;
    *response->mutable_job() = Named(request.id());
    response->mutable_job()->set_state(calls < 3 ? slotd::v1::JOB_STATE_RUNNING : slotd::v1::JOB_STATE_SUCCEEDED);
    return calls == 2 ? slotd_test::Cut() : grpc::Status::OK;
  };
  Client client(service.address());

  EXPECT_EQ(client.Wait("1").state(), slotd::v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(calls, 3);
}

TEST(ClientTest, AWaitGoesOnOverAServerThatStopsAndCancelsWhatItHasNotBegun) {
  Service service;
  int calls = 0;
  service.wait = [&](const slotd::v1::WaitRequest& request, slotd::v1::WaitResponse* response) {
    *response->mutable_job() = Named(request.id());
    response->mutable_job()->set_state(slotd::v1::JOB_STATE_SUCCEEDED);
    return ++calls == 1 ? slotd_test::Stopped() : grpc::Status::OK;
  };
  Client client(service.address());

  EXPECT_EQ(client.Wait("1").state(), slotd::v1::JOB_STATE_SUCCEEDED);
}

TEST(ClientTest, ClosingEndsAWaitInAnotherThread) {
  Gate called;
  Gate gate;
  Service service;
  service.wait = [&](const auto& /*request*/, auto* /*response*/) {
    called.Open();
    gate.Wait();
    return grpc::Status::OK;
  };
  Client client(service.address());
  auto raised = std::async(std::launch::async, [&] { return Raised([&] { client.Wait("1"); }); });
  called.Wait();
  client.Close();

  EXPECT_EQ(raised.get(), grpc::StatusCode::CANCELLED);
  gate.Open();
}

TEST(ClientTest, AWaitRaisesARefusal) {
  Service service;
  service.wait = [](const auto& /*request*/, auto* /*response*/) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "deleted");
  };
  Client client(service.address());

  EXPECT_EQ(Raised([&] { client.Wait("1"); }), grpc::StatusCode::NOT_FOUND);
}

TEST(ClientTest, ACallTakesNoLongerThanItsTimeout) {
  Gate gate;
  Service service;
  service.get = [&](const auto& /*request*/, auto* /*response*/) {
    gate.Wait();
    return grpc::Status::OK;
  };
  Client client(service.address());

  EXPECT_EQ(Raised([&] { client.Get("1", slotd::v1::JOB_VIEW_FULL, {Seconds(0.05)}); }),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  gate.Open();
}

TEST(ClientTest, MetadataGoesWithEveryCall) {
  Service service;
  service.get = [&](const auto& /*request*/, auto* /*response*/) { return grpc::Status::OK; };
  slotd::ClientOptions options;
  options.metadata = {{"tenant", "acme"}};
  Client(service.address(), options).Get("1");

  EXPECT_EQ(service.tenant, "acme");
}

TEST(ClientTest, ACallSaysWhichTraceItBelongsTo) {
  Service service;
  service.get = [&](const auto& /*request*/, auto* /*response*/) { return grpc::Status::OK; };
  Client client(service.address());
  slotd::CallOptions options;
  options.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  client.Get("1", slotd::v1::JOB_VIEW_FULL, options);
  EXPECT_EQ(service.traceparent, options.traceparent);

  client.Get("1");
  EXPECT_EQ(service.traceparent, "");
}

TEST(ClientTest, ClosingEndsACallInAnotherThread) {
  Gate called;
  Gate gate;
  Service service;
  service.get = [&](const auto& /*request*/, auto* /*response*/) {
    called.Open();
    gate.Wait();
    return grpc::Status::OK;
  };
  Client client(service.address());
  auto raised = std::async(std::launch::async, [&] { return Raised([&] { client.Get("1"); }); });
  called.Wait();
  client.Close();

  EXPECT_EQ(raised.get(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Raised([&] { client.Get("1"); }), grpc::StatusCode::CANCELLED);
  gate.Open();
}

TEST(ClientTest, ClosingAReaderEndsItsNextInAnotherThread) {
  Gate gate;
  Service service;
  service.stream = [&](auto* writer) {
    writer->Write(slotd_test::Message({slotd_test::Event("a", 1)}, "c1"));
    gate.Wait();
    return grpc::Status::OK;
  };
  Client client(service.address());
  slotd::EventReader events = client.Stream();
  ASSERT_TRUE(events.Next().has_value());
  auto next = std::async(std::launch::async, [&] { return events.Next(); });
  events.Close();

  EXPECT_FALSE(next.get().has_value());
  gate.Open();
}

TEST(ClientTest, AReaderOutlivesItsClient) {
  Service service;
  service.stream = [&](auto* writer) {
    writer->Write(slotd_test::Message({slotd_test::Event("a", 1)}, "c1"));
    return grpc::Status::OK;
  };
  slotd::EventReader events = Client(service.address()).Stream();

  EXPECT_EQ(events.Next()->revision(), 1);
  EXPECT_FALSE(events.Next().has_value());
}

TEST(ClientTest, AStreamThatTakesTooLongIsOverItsTimeout) {
  Gate gate;
  Service service;
  service.stream = [&](auto* /*writer*/) {
    gate.Wait();
    return grpc::Status::OK;
  };
  Client client(service.address());
  slotd::StreamOptions options;
  options.timeout = Seconds(0.05);
  slotd::EventReader events = client.Stream({}, options);

  EXPECT_EQ(Raised([&] { events.Next(); }), grpc::StatusCode::DEADLINE_EXCEEDED);
  gate.Open();
}

TEST(ClientTest, AnyMethodCanBeCalledTheSameWay) {
  Service service;
  service.get = [&](const slotd::v1::GetRequest& request, slotd::v1::GetResponse* response) {
    *response->mutable_job() = Named(request.id());
    return grpc::Status::OK;
  };
  Client client(service.address());
  slotd::v1::GetRequest request;
  request.set_id("7");

  EXPECT_EQ(client.Call(&slotd::v1::JobService::StubInterface::Get, request).job().id(), "7");
  // The service has no queues.
  EXPECT_EQ(Raised([&] { client.Call(&slotd::v1::QueueService::StubInterface::GetQueue, {}); }),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
