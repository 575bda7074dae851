#include "conformance/measure.h"

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace conformance {
namespace {

// So many in all, by so many callers at once, each with its next call when the last is answered.
void SubmitAll(slotd::Client& client, int calls, int callers) {
  std::vector<std::future<void>> running;
  for (int caller = 0; caller < callers; ++caller) {
    running.push_back(std::async(std::launch::async, [&client, calls, callers] {
      for (int call = 0; call < calls / callers; ++call) {
        client.Submit("noop");
      }
    }));
  }
  for (std::future<void>& one : running) {
    one.get();
  }
}

// Reads so many, or those that there are, and answers how many.
int ReadEvents(slotd::Client& client, int events, std::string cursor) {
  slotd::v1::StreamRequest request;
  request.set_cursor(std::move(cursor));
  slotd::EventReader reader = client.Stream(request);
  int count = 0;
  while (count < events && reader.Next()) {
    ++count;
  }
  return count;
}

}  // namespace

Json Measure(slotd::Client& client, const Json& request) {
  const std::string what = request.at("what");
  Json answer = Json::object();
  const auto began = std::chrono::steady_clock::now();
  if (what == "submit") {
    SubmitAll(client, request.at("calls"), request.at("callers"));
  } else if (what == "stream") {
    answer["events"] = ReadEvents(client, request.at("events"), request.at("cursor"));
  } else {
    throw std::domain_error("no way to measure " + what);
  }
  answer["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return answer;
}

}  // namespace conformance
