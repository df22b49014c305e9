#include "engine/plan/packing_buffers.h"

#include <cstring>

#include "gtest/gtest.h"

namespace inferd {
namespace {

Tensor Bytes(const std::shared_ptr<RecoverySet>& set, int64_t size, int value) {
  auto bytes = RecoverableBytes::Make(set, size, "bytes", [size, value](void* to) {
    std::memset(to, value, size);
    return absl::OkStatus();
  });
  return Tensor::Recoverable(DType::kUint8, Shape({size}), *std::move(bytes));
}

int FirstOf(const std::shared_ptr<const void>& bytes) {
  return *static_cast<const uint8_t*>(bytes.get());
}

TEST(PackingBuffers, ReadOneConstantAfterAnotherIntoTheSamePlace) {
  const auto set = std::make_shared<RecoverySet>();
  PackingBuffers buffers;
  auto first = *buffers.Read(Bytes(set, 100, 1));
  const void* place = first.get();
  EXPECT_EQ(FirstOf(first), 1);
  first.reset();
  const auto second = *buffers.Read(Bytes(set, 100, 2));
  EXPECT_EQ(second.get(), place);
  EXPECT_EQ(FirstOf(second), 2);
  EXPECT_EQ(set->resident_bytes(), 0);
}

TEST(PackingBuffers, GiveEachReaderItsOwnPlace) {
  const auto set = std::make_shared<RecoverySet>();
  PackingBuffers buffers;
  const auto first = *buffers.Read(Bytes(set, 100, 1));
  const auto second = *buffers.Read(Bytes(set, 100, 2));
  EXPECT_EQ(FirstOf(first), 1);
  EXPECT_EQ(FirstOf(second), 2);
}

TEST(PackingBuffers, LeaveALargeConstantAndAnOrdinaryOneWhereTheyAre) {
  const auto set = std::make_shared<RecoverySet>();
  const RecoverySet::Reading reading(*set);
  PackingBuffers buffers;
  const Tensor large = Bytes(set, PackingBuffers::kBufferBytes + 1, 3);
  EXPECT_EQ(buffers.Read(large)->get(), large.address());
  const Tensor ordinary = Tensor::Scalar<float>(1);
  EXPECT_EQ(buffers.Read(ordinary)->get(), ordinary.address());
}

TEST(PackingBuffers, OutlivedByWhatWasRead) {
  const auto set = std::make_shared<RecoverySet>();
  auto buffers = std::make_unique<PackingBuffers>();
  const auto read = *buffers->Read(Bytes(set, 100, 4));
  buffers->Drop();
  buffers.reset();
  EXPECT_EQ(FirstOf(read), 4);
}

TEST(PackingBuffers, FailWhenTheConstantCannotBeRead) {
  const auto set = std::make_shared<RecoverySet>();
  auto bytes =
      RecoverableBytes::Make(set, 100, "none", [](void*) { return absl::NotFoundError("gone"); });
  const Tensor gone = Tensor::Recoverable(DType::kUint8, Shape({100}), *std::move(bytes));
  EXPECT_EQ(PackingBuffers().Read(gone).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace inferd
