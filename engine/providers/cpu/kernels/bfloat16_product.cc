#include "engine/providers/cpu/simd/bfloat16_product.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/row_bias.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// MatMul and Gemm of bfloat16 by constant weights in tile registers. oneDNN 2.6 waits for the
// weights, which these kernels fetch ahead.
namespace inferd::cpu {
namespace {

// The panels of a group have their sums in scratch, which stays in a core's second cache beside
// the packed rows of a block.
constexpr int64_t kGroupPanels = 16;
constexpr int64_t kSumsStep = kGroupPanels * kTileStep + 16;
constexpr int64_t kMaxBlockRows = 256;
constexpr int64_t kMinBlockRows = 32;
constexpr int64_t kBlockBytes = 768 << 10;
constexpr int64_t kMinPerThread = 4 << 20;  // multiplications

bool IsTransposed(const Node& node) { return node.attributes.Int("transB", 0) != 0; }

bool Supports(const Graph& graph, const Node& node) {
  if (InputDType(graph, node, 0) != DType::kBfloat16 || !ComputesBfloat16Tiles() ||
      !HasOutput(node, 0)) {
    return false;
  }
  const DType type = OutputDType(graph, node);
  const Tensor* weights = ConstantOperand(graph, node, 1);
  const SymbolicShape& source = InputValue(graph, node, 0).type.shape;
  if (weights == nullptr || weights->rank() != 2 || weights->dtype() != DType::kFloat32 ||
      weights->num_elements() == 0 || !source.IsConcrete() || source.rank() < 2 ||
      (type != DType::kFloat32 && type != DType::kBfloat16)) {
    return false;
  }
  const Shape rows = source.ToShape();
  return rows[rows.rank() - 1] == weights->dim(IsTransposed(node) ? 1 : 0) &&
         rows.num_elements() > 0 && IsPlainProduct(graph, node) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

class TileProductKernel : public BoundKernel {
 public:
  TileProductKernel(const Bfloat16Product& product, int64_t rows, int threads, bool narrow,
                    int bias, std::shared_ptr<const PackedWeights> weights,
                    ElementwiseChain epilogue, std::string description)
      : product_(product),
        rows_(rows),
        block_rows_(std::min(rows, std::clamp(kBlockBytes / product.row_bytes(1) * kTileProductRows,
                                              kMinBlockRows, kMaxBlockRows))),
        threads_(std::max(1, threads)),
        narrow_(narrow),
        bias_(bias),
        weights_(std::move(weights)),
        epilogue_(std::move(epilogue)),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    // Threads share the panels: what takes time is to read them, or to multiply a tile.
    const int64_t panel_products =
        std::max<int64_t>(rows_, kTileProductRows) * product_.depth * kTileStep;
    ParallelParts(std::min(threads_, context.threads), product_.panels(),
                  kMinPerThread / panel_products + 1, 1, [&](int part, int64_t begin, int64_t end) {
                    const TileRegisters registers;
                    char* scratch = static_cast<char*>(context.scratch) + part * PartBytes();
                    for (int64_t row = 0; row < rows_; row += block_rows_) {
                      const int64_t rows = std::min(rows_ - row, block_rows_);
                      RunBlock(context, row, rows, begin, end, scratch);
                    }
                  });
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override { return threads_ * PartBytes(); }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }

 private:
  // Packed rows, then the sums of a group.
  int64_t PartBytes() const {
    const int64_t rows = (block_rows_ + kTileProductRows - 1) / kTileProductRows * kTileProductRows;
    return product_.row_bytes(block_rows_) + rows * kSumsStep * int64_t{sizeof(float)};
  }

  void RunBlock(const StepContext& context, int64_t row, int64_t rows, int64_t first_panel,
                int64_t last_panel, char* scratch) const {
    auto* packed_rows = reinterpret_cast<Bfloat16*>(scratch);
    product_.PackRows(context.inputs[0]->data<Bfloat16>() + row * product_.depth, rows,
                      packed_rows);
    for (int64_t panel = first_panel; panel < last_panel; panel += kGroupPanels) {
      const int64_t end = std::min(last_panel, panel + kGroupPanels);
      const Bfloat16Block block = {
          .packed_rows = packed_rows,
          .rows = rows,
          .packed = static_cast<const Bfloat16*>(weights_->data()),
          .first_panel = panel,
          .last_panel = end,
          .next_panel = end < last_panel ? end : first_panel,
          .bias = bias_ < 0 ? nullptr : context.inputs[bias_]->data<float>(),
          .sums = reinterpret_cast<float*>(scratch + product_.row_bytes(block_rows_)),
          .sums_step = kSumsStep,
      };
      MultiplyBlock(product_, block);
      Finish(context, block, row);
    }
  }

  // Writes the sums of a group to the output, whose row the block begins with is `first_row`.
  void Finish(const StepContext& context, const Bfloat16Block& block, int64_t first_row) const {
    const int64_t column = block.first_panel * kTileStep;
    const int64_t count = std::min(product_.columns, block.last_panel * kTileStep) - column;
    for (int64_t i = 0; i < block.rows; ++i) {
      const float* sums = block.sums + i * block.sums_step;
      const int64_t at = (first_row + i) * product_.columns + column;
      if (narrow_) {
        epilogue_.ApplyToSums(context, sums, at, at + count);
      } else {
        std::copy_n(sums, count, context.outputs[0]->mutable_data<float>() + at);
        epilogue_.Apply(context, at, at + count);
      }
    }
  }

  const Bfloat16Product product_;
  const int64_t rows_;
  const int64_t block_rows_;
  const int threads_;
  const bool narrow_;
  const int bias_;
  const std::shared_ptr<const PackedWeights> weights_;
  const ElementwiseChain epilogue_;
  const std::string description_;
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
  const auto pack = [&](void* to) -> absl::Status {
    ASSIGN_OR_RETURN(const auto from, store.buffers().Read(weights));
    product.Pack(static_cast<const float*>(from.get()), transposed, static_cast<Bfloat16*>(to));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(auto packed, store.GetOrPack(weights, transposed ? "bf16 tiles t" : "bf16 tiles",
                                                product.packed_bytes(), pack));
  const RowBias bias = RowBias::Of(graph, node);
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node, bias.steps));
  return std::make_unique<TileProductKernel>(
      product, output.num_elements() / product.columns, context.threads,
      OutputDType(graph, node) == DType::kBfloat16, bias.input, std::move(packed),
      std::move(epilogue), absl::StrCat("tiles:product", EpilogueText(node)));
}

constexpr CpuKernelDef kKernels[] = {{"", "MatMul", Supports, RowMajorOnly, Prepare, 5},
                                     {"", "Gemm", Supports, RowMajorOnly, Prepare, 5}};

}  // namespace

absl::Span<const CpuKernelDef> Bfloat16ProductKernels() { return kKernels; }

}  // namespace inferd::cpu
