#include "slotd/payload.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include "slotd/nlohmann.h"

namespace {

using google::protobuf::Duration;
using google::protobuf::Timestamp;

slotd::v1::Payload Typed(const std::string& content_type, const std::string& data) {
  slotd::v1::Payload payload;
  payload.set_content_type(content_type);
  payload.set_data(data);
  return payload;
}

TEST(PayloadTest, EachKindHasItsContentType) {
  EXPECT_EQ(slotd::JsonPayload("{}").content_type(), "application/json");
  EXPECT_EQ(slotd::TextPayload("a").content_type(), "text/plain");
  EXPECT_EQ(slotd::BytesPayload("a").content_type(), "application/octet-stream");
  EXPECT_EQ(slotd::ProtobufPayload(Duration()).content_type(), "application/protobuf; type=google.protobuf.Duration");
}

TEST(PayloadTest, AMessageComesBackFromProtobufAndFromJson) {
  Duration duration;
  duration.set_seconds(90);

  EXPECT_EQ(slotd::Decode<Duration>(slotd::ProtobufPayload(duration)).seconds(), 90);
  EXPECT_EQ(slotd::JsonText(slotd::JsonPayload(duration)), "\"90s\"");
  EXPECT_EQ(slotd::Decode<Duration>(slotd::JsonPayload(duration)).seconds(), 90);
}

TEST(PayloadTest, TheSameMessageAlwaysHasTheSameBytes) {
  google::protobuf::Struct forwards;
  google::protobuf::Struct backwards;
  for (int i = 0; i < 50; ++i) {
    (*forwards.mutable_fields())[std::to_string(i)].set_number_value(i);
    (*backwards.mutable_fields())[std::to_string(49 - i)].set_number_value(49 - i);
  }

  EXPECT_EQ(slotd::ProtobufPayload(forwards).data(), slotd::ProtobufPayload(backwards).data());
}

TEST(PayloadTest, AMessageOfAnotherTypeIsRefused) {
  EXPECT_THROW(slotd::Decode<Timestamp>(slotd::ProtobufPayload(Duration())), slotd::DecodeError);
  EXPECT_THROW(slotd::Decode<Duration>(slotd::TextPayload("90s")), slotd::DecodeError);
}

TEST(PayloadTest, DamagedBytesAreRefused) {
  EXPECT_THROW(slotd::Decode<Duration>(Typed("application/protobuf", "\xff")), slotd::DecodeError);
  EXPECT_THROW(slotd::Decode<Duration>(slotd::JsonPayload("ninety")), slotd::DecodeError);
}

TEST(PayloadTest, AMessageWithoutAJsonFormIsRefused) {
  Timestamp beyond;
  beyond.set_seconds(INT64_MAX);

  EXPECT_THROW(slotd::JsonPayload(beyond), slotd::EncodeError);
}

TEST(PayloadTest, ParametersAndCaseOfTheContentTypeDoNotMatter) {
  EXPECT_EQ(slotd::MediaType(Typed(" Text/Plain ; charset=utf-8", "")), "text/plain");
  EXPECT_EQ(slotd::Text(Typed("Text/Plain; Charset=\"UTF-8\"", "é")), "é");
  EXPECT_EQ(slotd::MediaType(slotd::v1::Payload()), "");
}

TEST(PayloadTest, TextOfAnotherCharsetIsRefused) {
  EXPECT_THROW(slotd::Text(Typed("text/plain; charset=latin-1", "\xe9")), slotd::DecodeError);
  EXPECT_THROW(slotd::Text(slotd::JsonPayload("\"a\"")), slotd::DecodeError);
}

TEST(NlohmannTest, AValueComesBackAsItWas) {
  const nlohmann::json value = {{"größe", 9007199254740993}, {"teile", {1, 2.5, nullptr, "日本"}}};

  EXPECT_EQ(slotd::DecodeJson(slotd::EncodeJson(value)), value);
}

TEST(NlohmannTest, WhatIsNoJsonIsRefused) {
  EXPECT_THROW(slotd::DecodeJson(slotd::JsonPayload("{")), slotd::DecodeError);
  EXPECT_THROW(slotd::DecodeJson(slotd::TextPayload("{}")), slotd::DecodeError);
  EXPECT_THROW(slotd::EncodeJson(nlohmann::json("\xff")), slotd::EncodeError);
}

}  // namespace
