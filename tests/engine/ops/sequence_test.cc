#include "engine/ops/sequence.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor One(float value) { return Values<float>({1}, {value}); }
Tensor Position(int64_t position) { return Values<int64_t>({}, {position}); }

TEST(Sequence, IsBuiltReadAndChanged) {
  const Tensor three = Tensor::Sequence({One(1), One(2), One(3)});
  CheckOpCases({{.op = "SequenceConstruct", .inputs = {One(1), One(2), One(3)}, .outputs = {three}},
                {.op = "SequenceAt", .inputs = {three, Position(-1)}, .outputs = {One(3)}},
                {.op = "SequenceLength", .inputs = {three}, .outputs = {Values<int64_t>({}, {3})}},
                {.op = "SequenceInsert",
                 .inputs = {Tensor::Sequence({One(1), One(3)}), One(2), Position(1)},
                 .outputs = {three}},
                {.name = "at the end",
                 .op = "SequenceInsert",
                 .inputs = {Tensor::Sequence({One(1), One(2)}), One(3)},
                 .outputs = {three}},
                {.op = "SequenceErase",
                 .inputs = {three, Position(0)},
                 .outputs = {Tensor::Sequence({One(2), One(3)})}},
                {.op = "SequenceEmpty", .inputs = {}, .outputs = {Tensor::Sequence({})}},
                {.op = "Identity", .inputs = {three}, .outputs = {three}}});
}

TEST(Sequence, NamesAPositionOutOfRange) {
  const Tensor two = Tensor::Sequence({One(1), One(2)});
  ExpectOpError({.op = "SequenceAt", .inputs = {two, Position(2)}, .outputs = {One(0)}},
                "position 2 is outside [-2,1] of a sequence of 2");
  ExpectOpError({.op = "SequenceErase", .inputs = {Tensor::Sequence({})}, .outputs = {two}},
                "empty");
}

TEST(Sequence, IsSplitAndJoined) {
  const Tensor x = Values<int32_t>({3, 2}, {1, 2, 3, 4, 5, 6});
  const auto row = [](int32_t a, int32_t b) { return Values<int32_t>({1, 2}, {a, b}); };
  const auto dropped = [](int32_t a, int32_t b) { return Values<int32_t>({2}, {a, b}); };
  CheckOpCases({{.op = "SplitToSequence",
                 .inputs = {x},
                 .outputs = {Tensor::Sequence({row(1, 2), row(3, 4), row(5, 6)})}},
                {.op = "SplitToSequence",
                 .inputs = {x},
                 .outputs = {Tensor::Sequence({dropped(1, 2), dropped(3, 4), dropped(5, 6)})},
                 .attributes = MakeAttributes({{"keepdims", int64_t{0}}})},
                {.op = "SplitToSequence",
                 .inputs = {x, Values<int64_t>({}, {2})},
                 .outputs = {Tensor::Sequence({Values<int32_t>({2, 2}, {1, 2, 3, 4}), row(5, 6)})}},
                {.op = "ConcatFromSequence",
                 .inputs = {Tensor::Sequence({row(1, 2), row(3, 4), row(5, 6)})},
                 .outputs = {x},
                 .attributes = MakeAttributes({{"axis", int64_t{0}}})},
                {.op = "ConcatFromSequence",
                 .inputs = {Tensor::Sequence({dropped(1, 3), dropped(2, 4)})},
                 .outputs = {Values<int32_t>({2, 2}, {1, 2, 3, 4})},
                 .attributes = MakeAttributes({{"axis", int64_t{-1}}, {"new_axis", int64_t{1}}})}});
  ExpectOpError({.op = "SplitToSequence",
                 .inputs = {x, Values<int64_t>({2}, {1, 1})},
                 .outputs = {Tensor::Sequence({})}},
                "[1,1] do not divide a dimension of 3");
}

TEST(Sequence, HasOptionalValues) {
  const Tensor full = Tensor::Optional({One(1)});
  const Tensor empty = Tensor::Optional({});
  const auto truth = [](bool value) { return Values<bool>({}, {value}); };
  CheckOpCases({{.op = "Optional", .inputs = {One(1)}, .outputs = {full}},
                {.op = "Optional", .inputs = {}, .outputs = {empty}},
                {.op = "OptionalHasElement", .inputs = {full}, .outputs = {truth(true)}},
                {.op = "OptionalHasElement", .inputs = {empty}, .outputs = {truth(false)}},
                {.op = "OptionalHasElement", .inputs = {}, .outputs = {truth(false)}},
                {.op = "OptionalHasElement", .inputs = {One(1)}, .outputs = {truth(true)}},
                {.op = "OptionalGetElement", .inputs = {full}, .outputs = {One(1)}},
                {.op = "OptionalGetElement", .inputs = {One(1)}, .outputs = {One(1)}}});
  ExpectOpError({.op = "OptionalGetElement", .inputs = {empty}, .outputs = {One(1)}}, "empty");
}

}  // namespace
}  // namespace inferd::testing
