#include "slotd/error.h"

#include <gtest/gtest.h>

#include "tests/refusals.h"

namespace {

using slotd::Error;
using slotd_test::Reason;
using slotd_test::Refusal;

TEST(ErrorTest, CarriesTheReasonAndItsMetadata) {
  auto info = Reason("REQUEST_ID_REUSED");
  (*info.mutable_metadata())["job_id"] = "42";
  const Error error(Refusal(grpc::StatusCode::ALREADY_EXISTS, "came before", info));

  EXPECT_EQ(error.code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(error.message(), "came before");
  EXPECT_EQ(error.reason(), "REQUEST_ID_REUSED");
  EXPECT_EQ(error.metadata().at("job_id"), "42");
  EXPECT_STREQ(error.what(), "came before (REQUEST_ID_REUSED)");
}

TEST(ErrorTest, CarriesEachFieldViolationInOrder) {
  google::rpc::BadRequest request;
  for (const char* field : {"spec.kind", "spec.queue"}) {
    auto* violation = request.add_field_violations();
    violation->set_field(field);
    violation->set_description("bad");
  }
  const Error error(Refusal(grpc::StatusCode::INVALID_ARGUMENT, "two", Reason("INVALID_ARGUMENT"), request));

  ASSERT_EQ(error.field_violations().size(), 2U);
  EXPECT_EQ(error.field_violations()[0].field, "spec.kind");
  EXPECT_EQ(error.field_violations()[1].field, "spec.queue");
  EXPECT_EQ(error.field_violations()[1].description, "bad");
}

TEST(ErrorTest, CarriesPreconditionsQuotasResourceAndRetryDelay) {
  google::rpc::PreconditionFailure failure;
  auto* precondition = failure.add_violations();
  precondition->set_type("JOB_STATE_RUNNING");
  precondition->set_subject("jobs/1");
  precondition->set_description("it runs");
  google::rpc::QuotaFailure exceeded;
  auto* quota = exceeded.add_violations();
  quota->set_subject("queues/q");
  quota->set_description("full");
  google::rpc::ResourceInfo resource;
  resource.set_resource_type("slotd.v1.Job");
  resource.set_resource_name("1");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  const Error error(Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "everything", failure, exceeded, resource, retry));

  ASSERT_EQ(error.precondition_violations().size(), 1U);
  EXPECT_EQ(error.precondition_violations()[0].type, "JOB_STATE_RUNNING");
  EXPECT_EQ(error.precondition_violations()[0].subject, "jobs/1");
  EXPECT_EQ(error.precondition_violations()[0].description, "it runs");
  ASSERT_EQ(error.quota_violations().size(), 1U);
  EXPECT_EQ(error.quota_violations()[0].subject, "queues/q");
  EXPECT_EQ(error.quota_violations()[0].description, "full");
  ASSERT_TRUE(error.resource().has_value());
  EXPECT_EQ(error.resource()->type, "slotd.v1.Job");
  EXPECT_EQ(error.resource()->name, "1");
  EXPECT_EQ(error.retry_delay(), slotd::Seconds(1.5));
}

TEST(ErrorTest, KeepsCodeAndMessageWhereTheDetailsAreUnreadable) {
  const Error error(grpc::Status(grpc::StatusCode::NOT_FOUND, "no job", "\xff\xff not a status"));

  EXPECT_EQ(error.code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_STREQ(error.what(), "no job (NOT_FOUND)");
  EXPECT_EQ(error.status().details_size(), 0);
  EXPECT_FALSE(error.retry_delay().has_value());
}

TEST(ErrorTest, NamesTheAddressWhereNoConnectionCouldBeMade) {
  const Error error(slotd_test::NotConnected(), "127.0.0.1:1");

  EXPECT_FALSE(error.connected());
  EXPECT_EQ(error.message(), "no service at 127.0.0.1:1");
}

TEST(ErrorTest, TellsABrokenConnectionFromNone) {
  EXPECT_TRUE(Error(slotd_test::Cut(), "127.0.0.1:1").connected());
  // The service itself may speak of connections that fail: to its store.
  const auto of_service =
      Refusal(grpc::StatusCode::UNAVAILABLE, "Failed to connect to the store", Reason("STORE_AWAY"));
  EXPECT_TRUE(Error(of_service).connected());
}

TEST(ErrorTest, NamesEveryCode) {
  EXPECT_STREQ(slotd::CodeName(grpc::StatusCode::FAILED_PRECONDITION), "FAILED_PRECONDITION");
  EXPECT_STREQ(slotd::CodeName(static_cast<grpc::StatusCode>(99)), "UNKNOWN");
}

}  // namespace
