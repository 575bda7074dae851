#include "src/outage.h"

#include <gtest/gtest.h>

#include "tests/refusals.h"

namespace {

using slotd::Backoff;
using slotd::Error;
using slotd::Outage;
using slotd::Seconds;

// An outage without chance, on a clock that the test sets.
class OutageTest : public testing::Test {
 protected:
  Outage Make(bool reached, const Backoff& backoff = {}) {
    return {backoff, reached, [this] { return now_; }, [] { return 0.5; }};
  }

  Seconds now_{0};
  const Error cut_{slotd_test::Cut()};
  const Error not_connected_{slotd_test::NotConnected()};
};

TEST_F(OutageTest, EachWaitIsTwiceTheOneBeforeUpToTheMaximum) {
  Outage outage = Make(true);
  for (const double expected : {0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0}) {
    const auto delay = outage.Failed(cut_);
    ASSERT_TRUE(delay.has_value());
    EXPECT_NEAR(delay->count(), expected, 1e-9);
  }
}

TEST_F(OutageTest, AnAnswerBeginsTheWaitsAnew) {
  Outage outage = Make(true);
  outage.Failed(cut_);
  outage.Failed(cut_);
  outage.Answered();

  EXPECT_NEAR(outage.Failed(cut_)->count(), 0.1, 1e-9);
}

TEST_F(OutageTest, AServiceThatNeverAnsweredIsTriedFourTimes) {
  Outage outage = Make(false);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(outage.Failed(not_connected_).has_value());
  }
  EXPECT_FALSE(outage.Failed(not_connected_).has_value());
}

TEST_F(OutageTest, AConnectionThatBrokeWasAnAnswer) {
  Outage outage = Make(false);
  outage.Failed(cut_);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(outage.Failed(not_connected_).has_value());
  }
}

TEST_F(OutageTest, AServerThatStopsAndCancelsWhatItHasNotBegunWasThere) {
  Outage outage = Make(false);
  EXPECT_TRUE(outage.Failed(Error(slotd_test::Stopped())).has_value());
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(outage.Failed(not_connected_).has_value());
  }
}

TEST_F(OutageTest, TheServicesOwnDelayIsTheLeast) {
  Outage outage = Make(true);
  const auto draining = slotd_test::Refusal(grpc::StatusCode::UNAVAILABLE, "draining", slotd_test::RetryIn(30));

  EXPECT_EQ(outage.Failed(Error(draining)), Seconds(30));
}

TEST_F(OutageTest, OnlyALimitThatPassesIsTriedAgain) {
  Outage outage = Make(true);
  const grpc::Status too_large(grpc::StatusCode::RESOURCE_EXHAUSTED, "message too large");
  const auto too_many = slotd_test::Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "streams", slotd_test::RetryIn(1));

  EXPECT_FALSE(outage.Failed(Error(too_large)).has_value());
  EXPECT_EQ(outage.Failed(Error(too_many)), Seconds(1));
  EXPECT_FALSE(Make(false).Failed(Error(too_many)).has_value());
}

TEST_F(OutageTest, RefusalsAreTheCallersToKnow) {
  Outage outage = Make(true);
  for (const auto code : {grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INVALID_ARGUMENT,
                          grpc::StatusCode::OUT_OF_RANGE, grpc::StatusCode::INTERNAL}) {
    EXPECT_FALSE(outage.Failed(Error(grpc::Status(code, ""))).has_value());
  }
}

TEST_F(OutageTest, GivesUpOnceTheTimeIsOver) {
  Backoff backoff;
  backoff.give_up = Seconds(60);
  Outage outage = Make(true, backoff);
  EXPECT_TRUE(outage.Failed(cut_).has_value());
  now_ = Seconds(59);
  EXPECT_TRUE(outage.Failed(cut_).has_value());
  now_ = Seconds(60);
  EXPECT_FALSE(outage.Failed(cut_).has_value());
}

TEST(BackoffTest, JitterChangesAWaitByItsShareAtMost) {
  const Backoff backoff;
  EXPECT_NEAR(backoff.Delay(1, 0).count(), 0.05, 1e-9);
  EXPECT_NEAR(backoff.Delay(1, 1).count(), 0.15, 1e-9);
  EXPECT_NEAR(backoff.Delay(100'000, 0.5).count(), 10, 1e-9);
}

TEST(ChanceTest, IsFromZeroToOneAndNotAlwaysTheSame) {
  const double first = slotd::RandomChance();
  bool changed = false;
  for (int i = 0; i < 100; ++i) {
    const double chance = slotd::RandomChance();
    EXPECT_GE(chance, 0);
    EXPECT_LE(chance, 1);
    changed = changed || chance != first;
  }
  EXPECT_TRUE(changed);
}

}  // namespace
