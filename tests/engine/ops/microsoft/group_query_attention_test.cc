#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;
using Inputs = std::vector<std::optional<Tensor>>;

// Two query heads, one key head, all of size 2.
OpCase Grouped(Inputs inputs, std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  attributes.emplace_back("num_heads", int64_t{2});
  attributes.emplace_back("kv_num_heads", int64_t{1});
  return {.name = "GroupQueryAttention",
          .op = "GroupQueryAttention",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes)),
          .absolute_tolerance = 1e-5,
          .domain = "com.microsoft"};
}

const Tensor Query() { return Values<float>({1, 1, 4}, {0, 0, 0, 0}); }
const Tensor Past() { return Values<float>({1, 1, 2, 2}, {1, 1, 3, 5}); }
Tensor Int(int32_t value) { return Values<int32_t>({1}, {value}); }

TEST(GroupQueryAttention, ExtendsAPastOrABufferWithRoom) {
  const Tensor next = Values<float>({1, 1, 2}, {5, 6});
  const Tensor mean = Values<float>({1, 1, 4}, {3, 4, 3, 4});
  const Tensor present = Values<float>({1, 1, 3, 2}, {1, 1, 3, 5, 5, 6});
  const Tensor buffer = Values<float>({1, 1, 4, 2}, {1, 1, 3, 5, 8, 8, 8, 8});
  const Tensor filled = Values<float>({1, 1, 4, 2}, {1, 1, 3, 5, 5, 6, 0, 0});
  const Tensor packed = Values<float>({1, 1, 8}, {0, 0, 0, 0, 5, 6, 5, 6});
  CheckOpCases(
      {Grouped({Query(), next, next, Past(), Past(), Int(2), Int(3)}, {mean, present, present}),
       Grouped({packed, std::nullopt, std::nullopt, buffer, buffer, Int(2), Int(3)},
               {mean, filled, filled}),
       Grouped({Query(), next, next, Past(), Past(), Int(2), Int(3)},
               {Values<float>({1, 1, 4}, {5, 6, 5, 6})}, {{"local_window_size", int64_t{1}}}),
       Grouped({Query(), next, next, Past(), Past(), Int(2), Int(3)},
               {Values<float>({1, 1, 4}, {2.25, 3, 2.25, 3})}, {{"smooth_softmax", int64_t{1}}})});
}

TEST(GroupQueryAttention, RotatesNewKeysByTheirPosition) {
  // The third position turns by a right angle.
  const Tensor cos = Values<float>({3, 1}, {1, 1, 0}), sin = Values<float>({3, 1}, {0, 0, 1});
  const Tensor next = Values<float>({1, 1, 2}, {5, 6});
  const OpCase turned = Grouped({Query(), next, next, Past(), Past(), Int(2), Int(3), cos, sin},
                                {std::nullopt, Values<float>({1, 1, 3, 2}, {1, 1, 3, 5, -6, 5})},
                                {{"do_rotary", int64_t{1}}});
  CheckOpCase(turned);
  OpCase far = turned;
  far.inputs.push_back(Values<int64_t>({1, 1}, {3}));
  ExpectOpError(far, "position_ids has 3 for caches of 3 rows");
}

TEST(GroupQueryAttention, RefusesLengthsThatDoNotFit) {
  const Tensor next = Values<float>({1, 1, 2}, {5, 6});
  const auto step = [&](int32_t last, int32_t total) {
    return Grouped({Query(), next, next, Past(), Past(), Int(last), Int(total)}, {Query()});
  };
  ExpectOpError(step(3, 3), "seqlens_k has 3");
  ExpectOpError(step(-1, 3), "seqlens_k has -1");
  ExpectOpError(step(3, 4), "asks for 3 past keys, given are 2");
  ExpectOpError(step(2, 0), "total_sequence_length is below 1");
  ExpectOpError(Grouped({Query(), next, std::nullopt, Past(), Past(), Int(2), Int(3)}, {Query()}),
                "key and value must be given together");
  ExpectOpError(Grouped({Query(), next, next, Past(), Past(), std::nullopt, Int(3)}, {Query()}),
                "input 5 is absent");
  OpCase cacheless = step(2, 3);
  cacheless.attributes.Set("do_rotary", int64_t{1});
  ExpectOpError(cacheless, "without cos_cache");
}

}  // namespace
}  // namespace inferd::testing
