#include "engine/ops/strided_attention.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

// Two heads of one batch entry: Q, K, V and Y are [1,3,4], heads side by side.
StridedAttention Small() {
  StridedAttention a;
  a.batch = 1;
  a.heads = 2;
  a.queries = 3;
  a.keys = 3;
  a.depth = 2;
  a.width = 2;
  a.q = a.k = a.v = a.y = HeadLayout::RowFirst(2, 3, 2);
  a.bias = {0, 0, 3};
  a.output_shape = Shape({1, 3, 4});
  return a;
}

bool Reaches(const StridedAttention& a, int64_t q_elements, int64_t bias_elements = -1) {
  return a.CheckElements(q_elements, 12, 12, bias_elements, -1).ok();
}

TEST(StridedAttention, ReadsWhatItWrites) {
  StridedAttention a = Small();
  a.causal = true;
  a.first_position = 2;
  a.scale = 0.5f;
  a.hidden = -1000;
  a.mask_hides = true;
  a.zero_hidden_rows = true;
  const auto read = StridedAttention::Read(a.ToAttributes());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->heads, 2);
  EXPECT_EQ(read->q.row, 4);
  EXPECT_EQ(read->bias.query, 3);
  EXPECT_TRUE(read->causal);
  EXPECT_EQ(read->first_position, 2);
  EXPECT_EQ(read->hidden, -1000);
  EXPECT_TRUE(read->mask_hides);
  EXPECT_TRUE(read->zero_hidden_rows);
  EXPECT_EQ(read->output_shape, a.output_shape);
  a.causal = false;
  EXPECT_FALSE(StridedAttention::Read(a.ToAttributes())->causal);
}

TEST(StridedAttention, RefusesAttributesThatMakeNoSense) {
  Attributes attributes = Small().ToAttributes();
  attributes.Set("sizes", std::vector<int64_t>{1, 2, 0, 3, 3, 2, 2});
  EXPECT_FALSE(StridedAttention::Read(attributes).ok());
  attributes.Set("sizes", std::vector<int64_t>{1, 2});
  EXPECT_FALSE(StridedAttention::Read(attributes).ok());
  attributes = Small().ToAttributes();
  attributes.Set("q", std::vector<int64_t>{0, 2, -4, 0});
  EXPECT_FALSE(StridedAttention::Read(attributes).ok());
  attributes = Small().ToAttributes();
  attributes.Set("first_position", int64_t{-2});
  EXPECT_FALSE(StridedAttention::Read(attributes).ok());
}

TEST(StridedAttention, RefusesLayoutsThatReachPastTheirTensors) {
  EXPECT_TRUE(Reaches(Small(), 12));
  EXPECT_FALSE(Reaches(Small(), 11));
  EXPECT_TRUE(Reaches(Small(), 12, 9));
  EXPECT_FALSE(Reaches(Small(), 12, 8));
  StridedAttention a = Small();
  a.q.offset = 1;
  EXPECT_FALSE(Reaches(a, 12));
  a.q.offset = (int64_t{1} << 31) - 1;
  EXPECT_FALSE(Reaches(a, 12));
}

TEST(StridedAttention, RefusesALayoutThatLeavesOutOrRepeatsElementsOfY) {
  StridedAttention a = Small();
  a.y = HeadLayout::HeadFirst(2, 3, 2);
  EXPECT_TRUE(Reaches(a, 12));
  a.y.head = 2;
  EXPECT_FALSE(Reaches(a, 12));
  a = Small();
  a.output_shape = Shape({1, 3, 5});
  EXPECT_FALSE(Reaches(a, 12));
}

}  // namespace
}  // namespace inferd
