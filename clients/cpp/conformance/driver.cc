#include "conformance/driver.h"

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "conformance/measure.h"
#include "slotd/nlohmann.h"

namespace conformance {
namespace {

std::optional<slotd::Seconds> SecondsOf(const Json& request, const char* field) {
  const auto found = request.find(field);
  if (found == request.end() || found->is_null()) {
    return std::nullopt;
  }
  return slotd::Seconds(found->get<double>());
}

slotd::v1::JobView ViewOf(const Json& request) {
  slotd::v1::JobView view = slotd::v1::JOB_VIEW_UNSPECIFIED;
  const std::string name = request.value("view", "JOB_VIEW_UNSPECIFIED");
  if (!slotd::v1::JobView_Parse(name, &view)) {
    throw std::invalid_argument("no view " + name);
  }
  return view;
}

template <class M>
M MessageOf(const Json& request) {
  return FromJson<M>(request.value("request", Json::object()));
}

slotd::v1::SubmitBatchRequest BatchOf(const Json& request) {
  return FromJson<slotd::v1::SubmitBatchRequest>({{"requests", request.at("requests")}});
}

Json AllPages(slotd::JobReader jobs) {
  Json listed = Json::array();
  for (const slotd::v1::Job& job : jobs) {
    listed.push_back(ToJson(job));
  }
  return {{"jobs", listed}};
}

Json AllOutput(slotd::OutputReader output) {
  std::string data = output.ReadAll();
  return {{"data", Base64(std::move(data))}, {"truncated", output.truncated()}};
}

Json Decoded(const slotd::v1::Job& job) {
  const slotd::v1::Payload& result = job.result();
  const std::string media_type = slotd::MediaType(result);
  Json value;
  if (media_type == "application/json") {
    value = slotd::DecodeJson(result);
  } else if (media_type == "text/plain") {
    value = slotd::Text(result);
  } else if (job.has_result()) {
    value = Base64(result.data());
  }
  return {{"content_type", result.content_type()}, {"value", value}};
}

}  // namespace

Driver::Driver(std::ostream* answers) : answers_(answers) {}

Driver::~Driver() {
  if (client_) {
    client_->Close();
  }
  // What is under way answers before the rest goes.
  calls_.clear();
}

void Driver::Take(const std::string& line) {
  ForgetDone();
  const Json request = Json::parse(line);
  const Json id = request.at("id");
  Operation operation;
  try {
    operation = Prepare(request);
  } catch (...) {
    operation = [failure = std::current_exception()]() -> Json { std::rethrow_exception(failure); };
  }
  calls_.push_back(std::async(std::launch::async, [this, id, operation] { Answer(id, operation); }));
}

Driver::Operation Driver::Prepare(const Json& request) {
  const std::string operation = request.at("op");
  Json done = Json::object();
  if (operation == "connect") {
    done = Connect(request);
  } else if (operation == "call_timeout") {
    options_.timeout = SecondsOf(request, "seconds");
  } else if (operation == "stream_open") {
    done = OpenStream(request);
  } else if (operation == "stream_close") {
    done = CloseStream(request);
  } else if (operation == "stream_read") {
    return PrepareStreamRead(request);
  } else if (operation == "echo_message") {
    return [request] { return Echo(request.at("type"), request.at("json")); };
  } else {
    return PrepareCall(operation, request);
  }
  return [done] { return done; };
}

Driver::Operation Driver::PrepareCall(const std::string& operation, const Json& request) {
  using slotd::v1::ListRequest;
  using slotd::v1::SubmitRequest;
  using Call = std::function<Json(slotd::Client&, const Json&, const slotd::CallOptions&)>;
  static const std::map<std::string, Call> kCalls = {
      {"submit",
       [](auto& client, const Json& of, slotd::CallOptions options) {
         options.traceparent = of.value("traceparent", "");
         return ToJson(client.Submit(MessageOf<SubmitRequest>(of), options));
       }},
      {"submit_batch",
       [](auto& client, const Json& of, auto& options) { return ToJson(client.SubmitBatch(BatchOf(of), options)); }},
      {"get", [](auto& client, const Json& of,
                 auto& options) { return ToJson(client.Get(of.at("job_id"), ViewOf(of), options)); }},
      {"list", [](auto& client, const Json& of,
                  auto& options) { return AllPages(client.List(MessageOf<ListRequest>(of), options)); }},
      {"list_page", [](auto& client, const Json& of,
                       auto& options) { return ToJson(client.ListPage(MessageOf<ListRequest>(of), options)); }},
      {"wait",
       [](auto& client, const Json& of, auto& /*options*/) {
         return ToJson(client.Wait(of.at("job_id"), {SecondsOf(of, "timeout"), ViewOf(of)}));
       }},
      {"cancel",
       [](auto& client, const Json& of, auto& options) { return ToJson(client.Cancel(of.at("job_id"), options)); }},
      {"retry",
       [](auto& client, const Json& of, auto& options) {
         return ToJson(client.Retry(of.at("job_id"), of.value("dependents", false), options));
       }},
      {"delete",
       [](auto& client, const Json& of, auto& options) {
         client.Delete(of.at("job_id"), of.value("force", false), options);
         return Json::object();
       }},
      {"measure", [](auto& client, const Json& of, auto& /*options*/) { return Measure(client, of); }},
      {"output",
       [](auto& client, const Json& of, auto& /*options*/) {
         const slotd::OutputOptions wanted{of.value("offset", 0), of.value("follow", false), SecondsOf(of, "timeout")};
         return AllOutput(client.ReadOutput(of.at("job_id"), wanted));
       }},
      {"payload",
       [](auto& client, const Json& of, auto& options) {
         return Decoded(client.Get(of.at("job_id"), slotd::v1::JOB_VIEW_FULL, options));
       }},
  };
  const auto call = kCalls.find(operation);
  if (call == kCalls.end()) {
    throw std::domain_error("no operation " + operation);
  }
  if (!client_) {
    throw std::logic_error(operation + " before connect");
  }
  return
      [make = call->second, client = client_, request, options = options_] { return make(*client, request, options); };
}

Driver::Operation Driver::PrepareStreamRead(const Json& request) {
  EventFeed::Wanted wanted;
  if (request.contains("count")) {
    wanted.count = request.at("count").get<std::size_t>();
  }
  wanted.synced = request.value("until", "") == "synced";
  wanted.timeout = SecondsOf(request, "timeout").value();
  return [feed = feeds_.at(request.at("stream")), wanted] { return feed->Read(wanted); };
}

Json Driver::Connect(const Json& request) {
  feeds_.clear();
  options_ = {};
  if (client_) {
    client_->Close();
  }
  client_ = std::make_shared<slotd::Client>(request.at("address").get<std::string>());
  return {{"language", "cpp"}, {"version", slotd::kVersion}};
}

Json Driver::OpenStream(const Json& request) {
  auto reader = client_->Stream(MessageOf<slotd::v1::StreamRequest>(request));
  feeds_[request.at("stream")] = std::make_shared<EventFeed>(std::move(reader));
  return Json::object();
}

Json Driver::CloseStream(const Json& request) {
  const auto feed = feeds_.find(request.at("stream"));
  if (feed != feeds_.end()) {
    feed->second->Close();
    feeds_.erase(feed);
  }
  return Json::object();
}

void Driver::Answer(const Json& id, const Operation& operation) {
  Json answer = {{"id", id}};
  try {
    answer["ok"] = operation();
  } catch (const slotd::Error& error) {
    answer["error"] = ToJson(error);
  } catch (const std::domain_error& error) {
    answer["error"] = PlainError("UNIMPLEMENTED", "DRIVER_CANNOT", error.what());
  } catch (const std::exception& error) {
    answer["error"] = PlainError("INVALID_ARGUMENT", "DRIVER_REFUSED", error.what());
  }
  const std::string line = answer.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::lock_guard lock(answering_);
  *answers_ << line << std::endl;
}

void Driver::ForgetDone() {
  calls_.remove_if([](const std::future<void>& call) {
    return call.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
}

}  // namespace conformance
