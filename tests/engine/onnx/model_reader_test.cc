#include "engine/onnx/model_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::ModelBuilder;

ModelBuilder TwoInitializers() {
  ModelBuilder model;
  model.Floats("typed", {1}, {1});
  model.Floats("raw", {2}, {}).set_raw_data("12345678");
  model.Output("raw");
  return model;
}

TEST(ModelReader, LeavesRawDataInTheFile) {
  const std::string bytes = TwoInitializers().Bytes();
  const auto source = ViewSource(bytes);
  const auto model = ReadModel(*source, 1 << 20);
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_EQ(model->raw_data.size(), 2u);
  EXPECT_EQ(model->raw_data[0].bytes, -1);
  EXPECT_EQ(model->raw_data[1].bytes, 8);
  EXPECT_EQ(bytes.substr(model->raw_data[1].offset, 8), "12345678");
  EXPECT_FALSE(model->proto.graph().initializer(1).has_raw_data());
  EXPECT_EQ(model->proto.graph().initializer(1).name(), "raw");
}

TEST(ModelReader, KeepsEverythingElse) {
  ModelBuilder builder = testing::ReluModel();
  builder.proto().set_producer_name("maker");
  const std::string bytes = builder.Bytes();
  const auto model = ReadModel(*ViewSource(bytes), 1 << 20);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->proto.SerializeAsString(), bytes);
}

TEST(ModelReader, RefusesLengthsPastTheEnclosingMessage) {
  std::string bytes = TwoInitializers().Bytes();
  // The raw data's length comes right before it.
  const size_t at = bytes.find("12345678");
  bytes[at - 1] = 127;
  EXPECT_FALSE(ReadModel(*ViewSource(bytes), 1 << 20).ok());
}

TEST(ModelReader, RefusesLengthsThatOverflow) {
  // Graph, with the largest length that fits an int.
  const std::string bytes("\x08\x0a\x3a\xff\xff\xff\xff\x07\x0a\x00", 10);
  EXPECT_FALSE(ReadModel(*ViewSource(bytes), 1 << 20).ok());
}

}  // namespace
}  // namespace inferd
