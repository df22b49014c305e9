#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/bfloat16_product.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// MatMul and Gemm of bfloat16 by constant weights over a long depth, as the second layer of a
// transformer's feed-forward net is: oneDNN 2.6 takes 1.1 to 1.7 times as long for them, and less
// than own tiles do for shallow ones.
namespace inferd::cpu {
namespace {

constexpr int64_t kLeastDepth = 1536;
constexpr int64_t kLeastRows = 32;

bool IsTransposed(const Node& node) { return node.attributes.Int("transB", 0) != 0; }

// C of Gemm is a row of floats, and nothing is scaled.
bool IsPlainGemm(const Graph& graph, const Node& node, int64_t columns) {
  const Attributes& a = node.attributes;
  if (a.Float("alpha", 1) != 1 || a.Float("beta", 1) != 1 || a.Int("transA", 0) != 0) return false;
  if (!HasOperand(node, 2)) return true;
  const SymbolicShape& shape = InputValue(graph, node, 2).type.shape;
  return InputDType(graph, node, 2) == DType::kFloat32 && shape.IsConcrete() &&
         shape.ToShape().num_elements() == columns;
}

bool Supports(const Graph& graph, const Node& node) {
  if (InputDType(graph, node, 0) != DType::kBfloat16 || !ComputesBfloat16Tiles() ||
      !HasOutput(node, 0) || OutputDType(graph, node) != DType::kFloat32) {
    return false;
  }
  const Tensor* weights = ConstantOperand(graph, node, 1);
  const SymbolicShape& source = InputValue(graph, node, 0).type.shape;
  if (weights == nullptr || weights->rank() != 2 || weights->dtype() != DType::kFloat32 ||
      !source.IsConcrete() || source.rank() < 2) {
    return false;
  }
  const int64_t depth = weights->dim(IsTransposed(node) ? 1 : 0);
  const int64_t columns = weights->dim(IsTransposed(node) ? 0 : 1);
  const Shape rows = source.ToShape();
  return depth >= kLeastDepth && depth % kTileStep == 0 && columns > 0 &&
         columns % kTileStep == 0 && rows[rows.rank() - 1] == depth &&
         rows.Product(0, rows.rank() - 1) >= kLeastRows &&
         (node.op->name != "Gemm" || IsPlainGemm(graph, node, columns)) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

class DeepProductKernel : public BoundKernel {
 public:
  DeepProductKernel(const Bfloat16Product& product, int64_t rows, int threads, bool has_bias,
                    std::shared_ptr<const PackedWeights> weights, ElementwiseChain epilogue)
      : product_(product),
        rows_(rows),
        threads_(std::max(1, threads)),
        has_bias_(has_bias),
        weights_(std::move(weights)),
        epilogue_(std::move(epilogue)) {}

  absl::Status Run(const StepContext& context) const override {
    const int threads = std::min(threads_, context.threads);
    ParallelParts(
        threads, rows_, kLeastRows, kTileProductRows, [&](int part, int64_t begin, int64_t end) {
          const TileRegisters registers;
          void* scratch = static_cast<char*>(context.scratch) + part * product_.scratch_bytes();
          for (; begin < end; begin += Bfloat16Product::kBlockRows) {
            RunBlock(context, begin, std::min(end, begin + Bfloat16Product::kBlockRows), scratch);
          }
        });
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override { return threads_ * product_.scratch_bytes(); }
  std::string description() const override { return "tiles:deep product"; }
  bool holds_input(int i) const override { return i == 1; }

 private:
  void RunBlock(const StepContext& context, int64_t begin, int64_t end, void* scratch) const {
    const auto* packed = static_cast<const Bfloat16*>(weights_->data());
    product_.Multiply(context.inputs[0]->data<Bfloat16>() + begin * product_.depth, end - begin,
                      packed, has_bias_ ? context.inputs[2]->data<float>() : nullptr, scratch,
                      context.outputs[0]->mutable_data<float>() + begin * product_.columns);
    epilogue_.Apply(context, begin * product_.columns, end * product_.columns);
  }

  const Bfloat16Product product_;
  const int64_t rows_;
  const int threads_;
  const bool has_bias_;
  const std::shared_ptr<const PackedWeights> weights_;
  const ElementwiseChain epilogue_;
};

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Tensor& weights = *ConstantOperand(graph, node, 1);
  const bool transposed = IsTransposed(node);
  const Bfloat16Product product{.depth = weights.dim(transposed ? 1 : 0),
                                .columns = weights.dim(transposed ? 0 : 1)};
  const Shape output = BoundShape(OutputValue(graph, node));
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const auto pack = [&](void* to) {
    product.Pack(weights.data<float>(), transposed, static_cast<Bfloat16*>(to));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(auto packed, store.GetOrPack(weights, transposed ? "bf16 tiles t" : "bf16 tiles",
                                                product.packed_bytes(), pack));
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  return std::make_unique<DeepProductKernel>(product, output.num_elements() / product.columns,
                                             context.threads, HasOperand(node, 2),
                                             std::move(packed), std::move(epilogue));
}

constexpr CpuKernelDef kKernels[] = {{"", "MatMul", Supports, RowMajorOnly, Prepare, 5},
                                     {"", "Gemm", Supports, RowMajorOnly, Prepare, 5}};

}  // namespace

absl::Span<const CpuKernelDef> DeepProductKernels() { return kKernels; }

}  // namespace inferd::cpu
