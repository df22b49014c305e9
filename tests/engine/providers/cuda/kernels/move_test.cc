#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::MakeAttributes;
using testing::RandomOf;
using testing::RandomTensor;

using Ints = std::vector<int64_t>;

class MoveKernels : public CudaProviderTest {
 protected:
  void CheckTranspose(const Shape& shape, const Ints& perm, DType type = DType::kFloat32) {
    GraphBuilder b;
    const ValueId x = b.Input("x", SymbolicShape(shape), type);
    ExpectSame(b.Build({b.Op("Transpose", {x}, MakeAttributes({{"perm", perm}}))}),
               {RandomOf(type, shape)});
  }

  ValueId List(GraphBuilder& b, const Ints& values) {
    return b.Constant<int64_t>(Shape({static_cast<int64_t>(values.size())}), values);
  }

  void CheckSlice(const Shape& shape, const Ints& starts, const Ints& ends, const Ints& axes,
                  const Ints& steps) {
    GraphBuilder b;
    const ValueId x = b.Input("x", SymbolicShape(shape));
    const ValueId y =
        b.Op("Slice", {x, List(b, starts), List(b, ends), List(b, axes), List(b, steps)});
    ExpectSame(b.Build({y}), {RandomTensor(shape)});
  }
};

TEST_F(MoveKernels, TransposeInAnyOrder) {
  CheckTranspose(Shape({40, 70}), {1, 0});
  CheckTranspose(Shape({3, 33, 9}), {0, 2, 1});
  CheckTranspose(Shape({2, 3, 4, 5}), {3, 1, 0, 2});
  CheckTranspose(Shape({2, 12, 4, 16}), {0, 2, 1, 3});
  CheckTranspose(Shape({6, 4, 10}), {2, 0, 1}, DType::kFloat16);
  CheckTranspose(Shape({6, 4, 10}), {1, 2, 0}, DType::kInt64);
  CheckTranspose(Shape({6, 4, 10}), {1, 0, 2}, DType::kBool);
}

TEST_F(MoveKernels, SliceFromAnyEnd) {
  CheckSlice(Shape({8, 9}), {1, 2}, {7, 8}, {0, 1}, {1, 1});
  CheckSlice(Shape({8, 9}), {-1}, {-9}, {0}, {-2});
  CheckSlice(Shape({8, 9}), {100}, {-100}, {1}, {-3});
  CheckSlice(Shape({8, 9}), {-3}, {100}, {1}, {2});
}

TEST_F(MoveKernels, SplitAndJoin) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6, 3});
  Node split;
  split.op = &OpRegistry::Builtin().Get("", "Split");
  split.inputs = {x, List(b, {1, 5})};
  split.attributes = IntAttribute("axis", 1);
  const ValueId one = b.graph().AddValue("one");
  const ValueId five = b.graph().AddValue("five");
  split.outputs = {one, five};
  const NodeId id = b.graph().AddNode(std::move(split));
  ASSERT_TRUE(InferNode(b.graph(), id).ok());
  const ValueId joined = b.Op("Concat", {five, one, x}, IntAttribute("axis", 1));
  ExpectSame(b.Build({joined, one}), {RandomTensor(Shape({4, 6, 3}))});
}

TEST_F(MoveKernels, PadWithANumber) {
  for (const Ints& pads : {Ints{0, 1, 2, 3}, Ints{-1, 2, 0, -1}}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {4, 5});
    const ValueId y = b.Op("Pad", {x, List(b, pads), b.Scalar(1.5f)});
    ExpectSame(b.Build({y}), {RandomTensor(Shape({4, 5}))});
  }
}

TEST_F(MoveKernels, RepeatByExpanding) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 1, 5});
  ExpectSame(b.Build({b.Op("Expand", {x, List(b, {2, 1, 4, 1})})}),
             {RandomTensor(Shape({3, 1, 5}))});
}

}  // namespace
}  // namespace inferd
