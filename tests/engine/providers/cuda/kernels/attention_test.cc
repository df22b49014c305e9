#include "engine/ops/strided_attention.h"
#include "gmock/gmock.h"
#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::RandomOf;
using testing::RandomTensor;

class AttentionKernels : public CudaProviderTest {
 protected:
  // Two batch entries of heads side by side.
  static StridedAttention Attention(int64_t heads, int64_t queries, int64_t keys, int64_t depth,
                                    int64_t width, int64_t group = 1) {
    StridedAttention a;
    a.batch = 2;
    a.heads = heads;
    a.group = group;
    a.queries = queries;
    a.keys = keys;
    a.depth = depth;
    a.width = width;
    a.q = HeadLayout::RowFirst(heads, queries, depth);
    a.k = HeadLayout::RowFirst(heads / group, keys, depth);
    a.v = HeadLayout::HeadFirst(heads / group, keys, width);
    a.y = HeadLayout::RowFirst(heads, queries, width);
    a.scale = 0.3f;
    a.output_shape = Shape({2, queries, heads * width});
    return a;
  }

  void Check(const StridedAttention& a, bool bias, bool mask) {
    CheckOf(DType::kFloat32, a, bias, mask, "attention");
  }

  // In both types of 16 bits, run by what is described so.
  void CheckNarrow(const StridedAttention& a, bool bias, bool mask, const std::string& by) {
    for (const DType type : {DType::kFloat16, DType::kBfloat16}) CheckOf(type, a, bias, mask, by);
  }

  void CheckOf(DType type, const StridedAttention& a, bool bias, bool mask, const std::string& by) {
    GraphBuilder b;
    const int64_t kv = a.heads / a.group;
    std::vector<Tensor> inputs = {RandomOf(type, Shape({2 * a.queries * a.heads * a.depth}), 1),
                                  RandomOf(type, Shape({2 * a.keys * kv * a.depth}), 2),
                                  RandomOf(type, Shape({2 * a.keys * kv * a.width}), 3)};
    std::vector<ValueId> ids;
    for (size_t i = 0; i < inputs.size(); ++i) {
      ids.push_back(b.Input("x" + std::to_string(i), SymbolicShape(inputs[i].shape()), type));
    }
    const Shape scores({2, 1, a.queries, a.keys});
    StridedAttention with = a;
    if (bias) {
      with.bias = {a.queries * a.keys, 0, a.keys};
      inputs.push_back(RandomTensor(scores, 4));
      ids.push_back(b.Input("bias", SymbolicShape(scores)));
    } else if (mask) {
      ids.push_back(kNoValue);
    }
    if (mask) {
      with.mask = {a.queries * a.keys, 0, a.keys};
      inputs.push_back(RandomOf(DType::kBool, scores, 5));
      ids.push_back(b.Input("mask", SymbolicShape(scores), DType::kBool));
    }
    const Graph graph = b.Build({b.Op("Attention", ids, with.ToAttributes(), "inferd")});
    const bool narrow = type != DType::kFloat32;
    ExpectSame(graph, inputs, narrow ? 2e-2 : 1e-4, narrow ? 2e-2 : 1e-5);
    EXPECT_THAT(PlanOf(graph, inputs).value()->ToString(), HasSubstr("  " + by));
  }
};

TEST_F(AttentionKernels, AttendToKeysOfAnyNumber) {
  for (const int64_t keys : {1, 31, 32, 33, 100}) Check(Attention(3, 5, keys, 16, 8), false, false);
  Check(Attention(2, 70, 40, 64, 64), false, false);
  Check(Attention(1, 3, 4, 128, 128), false, false);
  Check(Attention(1, 3, 4, 5, 7), false, false);
}

TEST_F(AttentionKernels, ShareKeysBetweenHeads) {
  Check(Attention(4, 9, 12, 8, 8, 2), false, false);
}

TEST_F(AttentionKernels, AddABiasAndHideWhatIsMasked) {
  StridedAttention a = Attention(2, 37, 45, 8, 8);
  Check(a, true, false);
  a.zero_hidden_rows = true;
  Check(a, false, true);
  a.mask_hides = true;
  a.hidden = -1000;
  Check(a, true, true);
}

TEST_F(AttentionKernels, SeeNoKeyBehindAQuery) {
  StridedAttention a = Attention(2, 40, 50, 8, 8);
  a.causal = true;
  Check(a, false, false);
  a.first_position = 10;
  Check(a, true, false);
}

TEST_F(AttentionKernels, LeaveSixteenBitsToTheLibrary) {
  CheckNarrow(Attention(3, 5, 33, 16, 8), false, false, "cudnn attention");
  CheckNarrow(Attention(2, 4, 6, 256, 128), false, false, "cudnn attention");
  CheckNarrow(Attention(4, 9, 12, 8, 8, 2), false, false, "cudnn attention");
  StridedAttention a = Attention(2, 7, 9, 8, 8);
  CheckNarrow(a, true, false, "cudnn attention");
  a.hidden = -1000;
  CheckNarrow(a, false, true, "cudnn attention");
  a.mask_hides = true;
  CheckNarrow(a, true, true, "cudnn attention");
  a.causal = true;
  CheckNarrow(a, false, false, "cudnn attention");
  a.first_position = 8;
  CheckNarrow(a, false, false, "cudnn attention");
}

TEST_F(AttentionKernels, ReadOneBiasForAllQueriesAndHeadsInTheLibrary) {
  StridedAttention a = Attention(2, 7, 9, 8, 8);
  GraphBuilder b;
  std::vector<Tensor> inputs;
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(RandomOf(DType::kFloat16, Shape({2 * (i == 0 ? 7 : 9) * 2 * 8}), i));
  }
  inputs.push_back(RandomOf(DType::kFloat16, Shape({2, 9}), 3));
  a.bias = {9, 0, 0};
  std::vector<ValueId> ids;
  for (size_t i = 0; i < inputs.size(); ++i) {
    ids.push_back(
        b.Input("x" + std::to_string(i), SymbolicShape(inputs[i].shape()), DType::kFloat16));
  }
  const Graph graph = b.Build({b.Op("Attention", ids, a.ToAttributes(), "inferd")});
  ExpectSame(graph, inputs, 2e-2, 2e-2);
}

TEST_F(AttentionKernels, RunThemselvesWhatTheLibraryDoesNotTake) {
  CheckNarrow(Attention(1, 3, 4, 5, 7), false, false, "attention");
  StridedAttention a = Attention(2, 7, 9, 8, 8);
  a.causal = true;
  a.first_position = 2;
  CheckNarrow(a, false, false, "attention");
  a = Attention(2, 7, 9, 8, 8);
  a.zero_hidden_rows = true;
  CheckNarrow(a, false, true, "attention");
}

}  // namespace
}  // namespace inferd
