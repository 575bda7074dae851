#include "src/progress.h"

#include <gtest/gtest.h>

#include "tests/events.h"
#include "tests/refusals.h"

namespace {

using slotd::Error;
using slotd::EventProgress;
using slotd::OutputProgress;
using slotd::Seconds;
using slotd::WaitProgress;
using slotd_test::Event;
using slotd_test::Message;
using slotd_test::Piece;
using slotd_test::Snapshot;

// Takes in a message, and says which jobs are new in it.
std::vector<std::string> Told(EventProgress* progress, slotd::v1::StreamResponse message) {
  progress->Receive(&message);
  std::vector<std::string> ids;
  for (const auto& event : message.events()) {
    ids.push_back(event.job().id());
  }
  return ids;
}

using Ids = std::vector<std::string>;

TEST(EventProgressTest, TheFirstCallAsksForWhatTheCallerDid) {
  slotd::v1::StreamRequest request;
  request.set_cursor("c0");
  request.set_include_progress(true);
  EventProgress progress(request);

  EXPECT_EQ(progress.Request().cursor(), "c0");
  EXPECT_TRUE(progress.Request().include_progress());
  EXPECT_EQ(progress.cursor(), "c0");
}

TEST(EventProgressTest, ALaterCallGoesOnFromTheNewestCursor) {
  EventProgress progress({});
  Told(&progress, Message({Snapshot("a", 1)}, "c1", true));
  Told(&progress, Message({Event("a", 2)}, "c2"));
  Told(&progress, Message({}, ""));

  EXPECT_EQ(progress.Request().cursor(), "c2");
}

TEST(EventProgressTest, ASnapshotThatWasCutIsNotToldTwice) {
  EventProgress progress({});
  EXPECT_EQ(Told(&progress, Message({Snapshot("a", 1), Snapshot("b", 2)})), (Ids{"a", "b"}));

  EXPECT_EQ(progress.Request().cursor(), "");
  EXPECT_EQ(Told(&progress, Message({Snapshot("a", 1), Snapshot("b", 3), Snapshot("c", 1)})), (Ids{"b", "c"}));
}

TEST(EventProgressTest, JobsThatAreGoneFromTheSecondSnapshotAreNamed) {
  EventProgress progress({});
  Told(&progress, Message({Snapshot("a", 1), Snapshot("b", 2)}));
  progress.Request();
  Told(&progress, Message({Snapshot("b", 2)}));
  EXPECT_TRUE(progress.vanished().empty());
  Told(&progress, Message({}, "c1", true));

  EXPECT_EQ(progress.vanished(), std::set<std::string>{"a"});
}

TEST(EventProgressTest, AfterACursorEverythingIsTold) {
  EventProgress progress({});
  Told(&progress, Message({Snapshot("a", 5)}, "c1", true));

  EXPECT_EQ(Told(&progress, Message({Event("a", 6), Event("a", 7)}, "c2")), (Ids{"a", "a"}));
}

TEST(EventProgressTest, ThePositionMovesWithTheLastEventOfAMessage) {
  EventProgress progress({});
  progress.Queue(Message({Event("a", 1), Event("b", 2)}, "c1", true));
  EXPECT_EQ(progress.cursor(), "");

  EXPECT_EQ(progress.NextEvent()->job().id(), "a");
  EXPECT_EQ(progress.cursor(), "");
  EXPECT_FALSE(progress.synced());

  EXPECT_EQ(progress.NextEvent()->job().id(), "b");
  EXPECT_EQ(progress.cursor(), "c1");
  EXPECT_EQ(progress.revision(), 2);
  EXPECT_TRUE(progress.synced());
  EXPECT_FALSE(progress.NextEvent().has_value());
}

TEST(EventProgressTest, AMessageWithoutEventsMovesThePositionAtOnce) {
  EventProgress progress({});
  progress.Queue(Message({}, "c1", true));

  EXPECT_EQ(progress.cursor(), "c1");
  EXPECT_TRUE(progress.synced());
}

TEST(OutputProgressTest, GoesOnFromTheByteAfterTheLast) {
  slotd::v1::ReadOutputRequest request;
  request.set_offset(10);
  OutputProgress progress(request);

  EXPECT_EQ(progress.Receive(Piece(10, "hello")), "hello");
  EXPECT_EQ(progress.Request().offset(), 15);
  EXPECT_FALSE(progress.ended());
}

TEST(OutputProgressTest, BytesThatWereReadBeforeAreLeftOut) {
  OutputProgress progress({});
  progress.Receive(Piece(0, "hello"));

  EXPECT_EQ(progress.Receive(Piece(3, "lo world")), " world");
  EXPECT_EQ(progress.Receive(Piece(0, "hello")), "");
  EXPECT_EQ(progress.offset(), 11);
}

TEST(OutputProgressTest, TheEndAndWhetherSomethingIsLostAreRemembered) {
  OutputProgress progress({});
  auto last = Piece(0, "", true);
  last.set_truncated(true);
  progress.Receive(last);

  EXPECT_TRUE(progress.ended());
  EXPECT_TRUE(progress.truncated());
}

class WaitProgressTest : public testing::Test {
 protected:
  WaitProgress Make(std::optional<Seconds> timeout) {
    const slotd::Clock clock = [this] { return now_; };
    return {"id", slotd::v1::JOB_VIEW_BASIC, timeout, slotd::Outage({}, true, clock, [] { return 0.5; }), clock};
  }

  static slotd::v1::Job In(slotd::v1::JobState state) {
    slotd::v1::Job job;
    job.set_state(state);
    return job;
  }

  Seconds now_{1000};
};

TEST_F(WaitProgressTest, ALongWaitIsMadeOfBoundedOnes) {
  WaitProgress progress = Make(std::nullopt);
  const auto [request, call_timeout] = progress.Request();

  EXPECT_EQ(request.id(), "id");
  EXPECT_EQ(request.view(), slotd::v1::JOB_VIEW_BASIC);
  EXPECT_EQ(request.timeout().seconds(), 20);
  EXPECT_EQ(call_timeout, Seconds(30));
  EXPECT_FALSE(progress.Answered(In(slotd::v1::JOB_STATE_RUNNING)));
}

TEST_F(WaitProgressTest, TheLastOneIsAsLongAsIsLeft) {
  WaitProgress progress = Make(Seconds(30));
  now_ += Seconds(28.5);
  const auto [request, call_timeout] = progress.Request();

  EXPECT_EQ(request.timeout().seconds(), 1);
  EXPECT_EQ(request.timeout().nanos(), 500'000'000);
}

TEST_F(WaitProgressTest, EndsWithATerminalStateOrTheTime) {
  WaitProgress progress = Make(Seconds(30));
  for (const auto state :
       {slotd::v1::JOB_STATE_SUCCEEDED, slotd::v1::JOB_STATE_FAILED, slotd::v1::JOB_STATE_CANCELLED}) {
    EXPECT_TRUE(progress.Answered(In(state)));
  }
  EXPECT_FALSE(progress.Answered(In(slotd::v1::JOB_STATE_QUEUED)));
  now_ += Seconds(30);
  EXPECT_TRUE(progress.Answered(In(slotd::v1::JOB_STATE_QUEUED)));
}

TEST_F(WaitProgressTest, AnOutageIsWaitedForNoLongerThanTheTime) {
  WaitProgress progress = Make(Seconds(30));
  const Error draining(slotd_test::Refusal(grpc::StatusCode::UNAVAILABLE, "draining", slotd_test::RetryIn(20)));
  EXPECT_EQ(progress.Failed(draining), Seconds(20));
  now_ += Seconds(25);
  EXPECT_EQ(progress.Failed(draining), Seconds(5));
  now_ += Seconds(5);
  EXPECT_FALSE(progress.Failed(draining).has_value());
}

}  // namespace
