#include "server/http/http_call.h"

#include <gtest/gtest.h>

#include <memory>

namespace inferd {
namespace {

class HttpCallTest : public ::testing::Test {
 protected:
  std::unique_ptr<HttpCall> Make() {
    return std::make_unique<HttpCall>(HttpRequest(), [this](HttpCall::MakeReply make) {
      ++replies_;
      code_ = make().code;
    });
  }

  int replies_ = 0;
  int code_ = 0;
};

TEST_F(HttpCallTest, OnlyTheFirstReplyCounts) {
  const auto call = Make();
  EXPECT_FALSE(call->answered());
  call->Reply(HttpReply{200});
  call->Reply(HttpReply{400});
  EXPECT_TRUE(call->answered());
  EXPECT_EQ(replies_, 1);
  EXPECT_EQ(code_, 200);
}

TEST_F(HttpCallTest, ADroppedCallIsAnError) {
  Make().reset();
  EXPECT_EQ(replies_, 1);
  EXPECT_EQ(code_, 500);
}

TEST_F(HttpCallTest, TellsOnceThatTheClientIsGone) {
  const auto call = Make();
  int told = 0;
  call->WhenGone([&] { ++told; });
  call->ClientGone();
  call->ClientGone();
  EXPECT_EQ(told, 1);
}

TEST_F(HttpCallTest, TellsAtOnceWhoAsksTooLate) {
  const auto call = Make();
  call->ClientGone();
  int told = 0;
  call->WhenGone([&] { ++told; });
  EXPECT_EQ(told, 1);
}

TEST_F(HttpCallTest, TellsNothingAfterTheReply) {
  const auto call = Make();
  int told = 0;
  call->WhenGone([&] { ++told; });
  call->Reply(HttpReply());
  call->ClientGone();
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace inferd
