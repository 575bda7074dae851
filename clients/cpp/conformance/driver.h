#pragma once

#include <functional>
#include <future>
#include <iosfwd>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "conformance/event_feed.h"
#include "conformance/messages.h"
#include "slotd/client.h"

namespace conformance {

/// Makes the calls that the conformance scenario asks for, through the library: one JSON object a line in, one out.
class Driver {
 public:
  explicit Driver(std::ostream* answers);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Takes one request. Its answer may come later, from another thread.
  void Take(const std::string& line);

 private:
  using Operation = std::function<Json()>;

  // What later requests rely on is done at once, the rest is returned to be done beside others.
  Operation Prepare(const Json& request);
  Operation PrepareCall(const std::string& operation, const Json& request);
  Operation PrepareStreamRead(const Json& request);

  Json Connect(const Json& request);
  Json OpenStream(const Json& request);
  Json CloseStream(const Json& request);

  void Answer(const Json& id, const Operation& operation);
  void ForgetDone();

  std::ostream* answers_;
  std::mutex answering_;
  // A call under way keeps the client that it was made with.
  std::shared_ptr<slotd::Client> client_;
  slotd::CallOptions options_;
  std::map<std::string, std::shared_ptr<EventFeed>> feeds_;
  std::list<std::future<void>> calls_;
};

}  // namespace conformance
