#include "slotd/readers.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "src/reader_impls.h"
#include "tests/events.h"
#include "tests/refusals.h"

namespace {

using slotd::Backoff;
using slotd::Error;
using slotd::EventReader;
using slotd::OutputReader;
using slotd::Peer;
using slotd::Seconds;
using slotd_test::Cut;
using slotd_test::Event;
using slotd_test::Message;
using slotd_test::Piece;
using slotd_test::Refusal;
using slotd_test::Snapshot;
using slotd_test::Stopped;

// What one call answers: some messages, then its end.
template <class Response>
struct Script {
  std::vector<Response> messages;
  grpc::Status end;
};

// A transport that answers each call by the next script, and keeps what was asked.
template <class Request, class Response>
class Transport {
 public:
  explicit Transport(std::vector<Script<Response>> scripts) : scripts_(scripts.begin(), scripts.end()) {}

  std::unique_ptr<grpc::ClientReaderInterface<Response>> Call(const Request& request) {
    asked.push_back(request);
    if (scripts_.empty()) {
      throw std::logic_error("one call too many");
    }
    auto stream = std::make_unique<Stream>(std::move(scripts_.front()));
    scripts_.pop_front();
    return stream;
  }

  std::vector<Request> asked;

 private:
  class Stream : public grpc::ClientReaderInterface<Response> {
   public:
    explicit Stream(Script<Response> script) : script_(std::move(script)) {}

    bool Read(Response* message) override {
      if (next_ == script_.messages.size()) {
        return false;
      }
      *message = script_.messages[next_++];
      return true;
    }
    grpc::Status Finish() override { return script_.end; }
    bool NextMessageSize(std::uint32_t* size) override {
      *size = UINT32_MAX;
      return true;
    }
    void WaitForInitialMetadata() override {}

   private:
    Script<Response> script_;
    std::size_t next_ = 0;
  };

  std::deque<Script<Response>> scripts_;
};

using Events = Transport<slotd::v1::StreamRequest, slotd::v1::StreamResponse>;
using Output = Transport<slotd::v1::ReadOutputRequest, slotd::v1::ReadOutputResponse>;

std::shared_ptr<Peer> Impatient() {
  Backoff at_once;
  at_once.initial = Seconds(0);
  return std::make_shared<Peer>("here", std::vector<std::pair<std::string, std::string>>(), at_once);
}

EventReader Read(Events* transport, bool resume = true, std::shared_ptr<Peer> peer = Impatient(),
                 std::optional<Seconds> timeout = std::nullopt) {
  auto method = [transport](grpc::ClientContext* /*context*/, const auto& request) { return transport->Call(request); };
  return EventReader(
      std::make_unique<EventReader::Impl>(std::move(peer), method, slotd::v1::StreamRequest(), resume, timeout));
}

OutputReader Read(Output* transport) {
  auto method = [transport](grpc::ClientContext* /*context*/, const auto& request) { return transport->Call(request); };
  return OutputReader(
      std::make_unique<OutputReader::Impl>(Impatient(), method, slotd::v1::ReadOutputRequest(), std::nullopt));
}

std::vector<std::int64_t> Revisions(EventReader* reader) {
  std::vector<std::int64_t> revisions;
  for (const slotd::v1::JobEvent& event : *reader) {
    revisions.push_back(event.revision());
  }
  return revisions;
}

using List = std::vector<std::int64_t>;

TEST(EventReaderTest, GoesOnFromTheCursorAfterACut) {
  Events transport({{{Message({Event("a", 1)}, "c1", true), Message({Event("a", 2), Event("b", 3)}, "c3")}, Cut()},
                    {{}, Stopped()},
                    {{Message({Event("b", 4)}, "c4", true)}, grpc::Status::OK}});
  EventReader reader = Read(&transport);

  EXPECT_EQ(Revisions(&reader), (List{1, 2, 3, 4}));
  ASSERT_EQ(transport.asked.size(), 3U);
  EXPECT_EQ(transport.asked[1].cursor(), "c3");
  EXPECT_EQ(transport.asked[2].cursor(), "c3");
  EXPECT_EQ(reader.cursor(), "c4");
}

TEST(EventReaderTest, ASnapshotThatWasCutIsNotHandedOutTwice) {
  Events transport({{{Message({Snapshot("a", 1), Snapshot("b", 2)})}, Cut()},
                    {{Message({Snapshot("b", 2), Snapshot("c", 3)}), Message({}, "c3", true)}, grpc::Status::OK}});
  EventReader reader = Read(&transport);

  EXPECT_EQ(Revisions(&reader), (List{1, 2, 3}));
  EXPECT_EQ(reader.vanished(), std::set<std::string>{"a"});
}

TEST(EventReaderTest, MessagesHaveSyncedAndHeartbeatsToo) {
  Events transport({{{Message({}, "c1", true), Message({Event("a", 2)}, "c2")}, grpc::Status::OK}});
  EventReader reader = Read(&transport);

  EXPECT_TRUE(reader.NextMessage()->synced());
  EXPECT_TRUE(reader.synced());
  EXPECT_EQ(reader.cursor(), "c1");
  EXPECT_EQ(reader.NextMessage()->events_size(), 1);
  EXPECT_EQ(reader.cursor(), "c2");
  EXPECT_FALSE(reader.NextMessage().has_value());
}

TEST(EventReaderTest, ARefusalIsRaisedAndEndsIt) {
  Events transport({{{}, Refusal(grpc::StatusCode::OUT_OF_RANGE, "old", slotd_test::Reason("CURSOR_EXPIRED"))}});
  EventReader reader = Read(&transport);

  try {
    reader.Next();
    FAIL() << "nothing was raised";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), "CURSOR_EXPIRED");
  }
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_EQ(transport.asked.size(), 1U);
}

TEST(EventReaderTest, WithoutResumeACutIsRaised) {
  Events transport({{{Message({Event("a", 1)}, "c1")}, Cut()}});
  EventReader reader = Read(&transport, /*resume=*/false);

  EXPECT_TRUE(reader.Next().has_value());
  EXPECT_THROW(reader.Next(), Error);
}

TEST(EventReaderTest, ACutAfterTheTimeoutIsRaised) {
  Events transport({{{Message({Event("a", 1)}, "c1")}, Cut()}});
  EventReader reader = Read(&transport, /*resume=*/true, Impatient(), Seconds(0));

  EXPECT_TRUE(reader.Next().has_value());
  EXPECT_THROW(reader.Next(), Error);
}

TEST(EventReaderTest, ClosedItIsAtItsEnd) {
  Events transport({{{Message({Event("a", 1)}, "c1"), Message({Event("a", 2)}, "c2")}, grpc::Status::OK}});
  EventReader reader = Read(&transport);
  reader.Next();
  reader.Close();

  EXPECT_FALSE(reader.Next().has_value());
}

TEST(EventReaderTest, ClosingTheClientEndsItsWaitForTheNextTry) {
  Events transport({{{}, Refusal(grpc::StatusCode::UNAVAILABLE, "draining", slotd_test::RetryIn(3600))}});
  const auto peer = Impatient();
  EventReader reader = Read(&transport, /*resume=*/true, peer);
  std::thread closing([&] { peer->stop().Request(); });

  EXPECT_FALSE(reader.Next().has_value());
  closing.join();
}

TEST(OutputReaderTest, GoesOnFromTheByteWhereItWasCut) {
  Output transport({{{Piece(0, "hello "), Piece(6, "wor")}, Cut()},
                    {{}, Stopped()},
                    {{Piece(9, "ld"), Piece(11, "", true)}, Cut()}});
  OutputReader reader = Read(&transport);

  EXPECT_EQ(reader.ReadAll(), "hello world");
  ASSERT_EQ(transport.asked.size(), 3U);
  EXPECT_EQ(transport.asked[1].offset(), 9);
  EXPECT_EQ(transport.asked[2].offset(), 9);
  EXPECT_EQ(reader.offset(), 11);
}

TEST(OutputReaderTest, EmptyPiecesAreNotHandedOut) {
  Output transport({{{Piece(0, ""), Piece(0, "a"), Piece(1, "", true)}, grpc::Status::OK}});
  OutputReader reader = Read(&transport);

  EXPECT_EQ(reader.Next(), "a");
  EXPECT_EQ(reader.Next(), std::nullopt);
}

}  // namespace
