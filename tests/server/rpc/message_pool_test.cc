#include "server/rpc/message_pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "proto/inference.pb.h"

namespace inferd {
namespace {

using Pool = MessagePool<inference::ModelInferRequest>;

TEST(MessagePool, GivesAMessageBackCleared) {
  Pool pool(1 << 20, 1 << 16);
  auto entry = pool.Take();
  entry->message.set_id("a");
  const auto* first = &entry->message;
  pool.Give(std::move(entry), 100);
  EXPECT_GT(pool.held_bytes(), 100);
  entry = pool.Take();
  EXPECT_EQ(&entry->message, first);
  EXPECT_EQ(entry->message.id(), "");
  EXPECT_EQ(pool.held_bytes(), 0);
}

TEST(MessagePool, DropsALargeMessage) {
  Pool pool(1 << 20, 1 << 16);
  auto entry = pool.Take();
  entry->message.add_raw_input_contents(std::string(1 << 17, 'x'));
  pool.Give(std::move(entry), 1 << 17);
  EXPECT_EQ(pool.held_bytes(), 0);
}

TEST(MessagePool, HoldsNoMoreThanItsLimit) {
  Pool pool(5000, 4000);
  std::vector<std::unique_ptr<Pool::Entry>> taken;
  for (int i = 0; i < 100; ++i) taken.push_back(pool.Take());
  for (auto& entry : taken) pool.Give(std::move(entry), 1000);
  EXPECT_LE(pool.held_bytes(), 5000);
  EXPECT_GT(pool.held_bytes(), 1000);
}

TEST(MessagePool, ManyUsesOfOneMessageAreMeasuredAnew) {
  Pool pool(1 << 20, 1 << 16);
  const auto* first = &pool.Take()->message;
  for (int i = 0; i < 1000; ++i) {
    auto entry = pool.Take();
    first = &entry->message;
    entry->message.set_id(std::string(100, 'x'));
    pool.Give(std::move(entry), 200);
  }
  EXPECT_LE(pool.held_bytes(), 1 << 16);
  EXPECT_EQ(&pool.Take()->message, first);
}

TEST(MessagePool, AMessageGoesBackToTheThreadThatTakes) {
  Pool pool(1 << 20, 1 << 16);
  auto entry = pool.Take();
  const auto* first = &entry->message;
  std::thread([&] { pool.Give(std::move(entry), 10); }).join();
  EXPECT_EQ(&pool.Take()->message, first);
}

}  // namespace
}  // namespace inferd
