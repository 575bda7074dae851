#include "src/channel.h"

#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "slotd/client.h"

namespace {

using nlohmann::json;

std::set<std::string> MethodsRepeatedBy(const json& config) {
  std::set<std::string> methods;
  for (const auto& name : config.at("methodConfig").at(0).at("name")) {
    methods.insert(name.at("service").get<std::string>() + "/" + name.at("method").get<std::string>());
  }
  return methods;
}

TEST(ChannelTest, WhatIsSafeToRepeatIsRepeatedAndNothingElse) {
  const auto methods = MethodsRepeatedBy(json::parse(slotd::ServiceConfig()));

  EXPECT_EQ(methods.size(), 18U);
  EXPECT_EQ(methods.count("slotd.v1.JobService/Submit"), 1U);
  EXPECT_EQ(methods.count("slotd.v1.ScheduleService/Get"), 1U);
  for (const char* method : {"Retry", "Delete", "Purge", "Update", "Wait", "Stream", "ReadOutput"}) {
    EXPECT_EQ(methods.count(std::string("slotd.v1.JobService/") + method), 0U) << method;
  }
}

TEST(ChannelTest, EveryMethodThatIsRepeatedIsThere) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (std::string method : MethodsRepeatedBy(json::parse(slotd::ServiceConfig()))) {
    method[method.find('/')] = '.';
    EXPECT_NE(pool->FindMethodByName(method), nullptr) << method;
  }
}

// An argument's value, or nothing where the channel has gRPC's own.
std::optional<int> Argument(const std::string& address, const std::string& key) {
  const grpc::ChannelArguments arguments = slotd::DefaultChannelArguments(address);
  const grpc_channel_args all = arguments.c_channel_args();
  for (std::size_t i = 0; i < all.num_args; ++i) {
    if (all.args[i].key == key) {
      return all.args[i].value.integer;
    }
  }
  return std::nullopt;
}

TEST(ChannelTest, MessagesMayHave32MiB) {
  EXPECT_EQ(Argument("127.0.0.1:1", GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH), 32 * 1024 * 1024);
  EXPECT_EQ(Argument("127.0.0.1:1", GRPC_ARG_MAX_SEND_MESSAGE_LENGTH), 32 * 1024 * 1024);
}

TEST(ChannelTest, OnlyLocalAddressesAreReachedPastAProxy) {
  EXPECT_EQ(Argument("127.0.0.1:1", GRPC_ARG_ENABLE_HTTP_PROXY), 0);
  EXPECT_EQ(Argument("unix:/run/slotd", GRPC_ARG_ENABLE_HTTP_PROXY), 0);
  EXPECT_EQ(Argument("jobs.example:7433", GRPC_ARG_ENABLE_HTTP_PROXY), std::nullopt);
}

TEST(ChannelTest, WhatIsNoAddressIsRefused) {
  for (const char* address :
       {"", " ", "127.0.0.1:7433 ", "http://127.0.0.1:7433", "https://jobs.example", "grpc://a:1"}) {
    EXPECT_THROW(slotd::Client{address}, std::invalid_argument) << address;
  }
}

}  // namespace
