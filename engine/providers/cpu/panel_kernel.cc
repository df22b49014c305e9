#include "engine/providers/cpu/panel_kernel.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/row_bias.h"
#include "engine/providers/cpu/simd/panel_form.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

// Rows are taken in blocks, the panels of a block in groups: a block's part of the input and a
// group's part of the output stay in a core's second cache.
constexpr int64_t kBlockInputFloats = 128 << 10;
constexpr int64_t kMinBlockRows = 64;
constexpr int64_t kMaxBlockRows = 256;
constexpr int64_t kGroupPanels = 10;
constexpr int64_t kMinPerThread = 1 << 20;  // multiplications
// Threads share the panels of a matrix that does not fit their caches, else the rows.
constexpr int64_t kCachedFloats = 256 << 10;
constexpr int64_t kMinThreadRows = 16;

class PanelKernel : public BoundKernel {
 public:
  PanelKernel(const PanelProduct& product, int64_t rows, int threads, int bias,
              SumEpilogue epilogue, std::shared_ptr<const PackedWeights> weights,
              std::string description)
      : product_(product),
        rows_(rows),
        threads_(std::max(1, threads)),
        bias_(bias),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const int threads = std::min(threads_, context.threads);
    const int64_t panels = product_.panels();
    const int64_t row_products = product_.depth * product_.columns;
    const bool share_panels =
        rows_ < kMinThreadRows * threads || (row_products > kCachedFloats && panels >= 4 * threads);
    if (share_panels) {
      ParallelRanges(threads, panels, kMinPerThread * panels / (rows_ * row_products + 1) + 1, 1,
                     [&](int64_t begin, int64_t end) { RunPart(context, 0, rows_, begin, end); });
    } else {
      ParallelRanges(threads, rows_, kMinPerThread / row_products + 1, 1,
                     [&](int64_t begin, int64_t end) { RunPart(context, begin, end, 0, panels); });
    }
    return absl::OkStatus();
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }

 private:
  void RunPart(const StepContext& context, int64_t first_row, int64_t last_row, int64_t first_panel,
               int64_t last_panel) const {
    const auto floats = [&](int i) { return i < 0 ? nullptr : context.inputs[i]->data<float>(); };
    const PanelOperands operands = {.x = floats(0),
                                    .packed = static_cast<const float*>(weights_->data()),
                                    .bias = floats(bias_),
                                    .add = floats(epilogue_.add),
                                    .low = epilogue_.low,
                                    .high = epilogue_.high,
                                    .y = context.outputs[0]->mutable_data<float>()};
    const int64_t rows = last_row - first_row;
    const int64_t panels = last_panel - first_panel;
    const int64_t blocks = DivideUp(
        rows, std::clamp(kBlockInputFloats / product_.depth, kMinBlockRows, kMaxBlockRows));
    const int64_t groups = DivideUp(panels, kGroupPanels);
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t row = first_row + rows * b / blocks;
      const int64_t block_rows = first_row + rows * (b + 1) / blocks - row;
      for (int64_t g = 0; g < groups; ++g) {
        const PanelBlock block = {
            .first_row = row,
            .rows = block_rows,
            .first_panel = first_panel + panels * g / groups,
            .last_panel = first_panel + panels * (g + 1) / groups,
            .next_panel = g + 1 < groups ? first_panel + panels * (g + 1) / groups : first_panel,
        };
        MultiplyPanels(product_, operands, block);
        Finish(context, block);
      }
    }
  }

  // The rest of the epilogue.
  void Finish(const StepContext& context, const PanelBlock& block) const {
    if (epilogue_.rest.empty()) return;
    const int64_t first = product_.FirstColumn(block.first_panel);
    const int64_t last = product_.FirstColumn(block.last_panel);
    const int64_t end_row = block.first_row + block.rows;
    if (last - first == product_.columns) {
      epilogue_.rest.Apply(context, block.first_row * last, end_row * last);
      return;
    }
    for (int64_t row = block.first_row; row < end_row; ++row) {
      const int64_t at = row * product_.columns;
      epilogue_.rest.Apply(context, at + first, at + last);
    }
  }

  const PanelProduct product_;
  const int64_t rows_;
  const int threads_;
  const int bias_;
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::string description_;
};

}  // namespace

PanelProduct PanelsOf(const MatrixProduct& product) {
  return {.depth = product.weights[0], .columns = product.weights[1]};
}

bool TakesPanels(const Graph& graph, const Node& node, const MatrixProduct& product) {
  const Tensor* weights = graph.constant(node.inputs[1]);
  if (weights == nullptr || product.weights.size() != 2 || product.source_transposed) return false;
  const auto is_float = [&](ValueId id) {
    return id == kNoValue || graph.value(id).type.dtype == DType::kFloat32;
  };
  const bool floats =
      std::all_of(node.inputs.begin(), node.inputs.end(), is_float) && is_float(node.outputs[0]);
  return floats && ElementCount(product.source) > 0 && ElementCount(product.destination) > 0 &&
         IsPlainProduct(graph, node) && ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::shared_ptr<const PackedWeights>> PackPanels(const Tensor& weights,
                                                                const MatrixProduct& product,
                                                                WeightStore& store) {
  const PanelProduct panels = PanelsOf(product);
  const bool transposed = product.weights_transposed;
  const auto pack = [&](void* to) -> absl::Status {
    ASSIGN_OR_RETURN(const auto from, store.buffers().Read(weights));
    panels.Pack(static_cast<const float*>(from.get()), transposed, static_cast<float*>(to));
    return absl::OkStatus();
  };
  return store.GetOrPack(weights,
                         absl::StrCat("panels ", PanelLanes(), " ", panels.depth, "x",
                                      panels.columns, transposed ? "t" : ""),
                         panels.packed_floats() * static_cast<int64_t>(sizeof(float)), pack);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PreparePanels(const Graph& graph, const Node& node,
                                                           const PrepareContext& context,
                                                           const MatrixProduct& product,
                                                           absl::string_view text) {
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  ASSIGN_OR_RETURN(auto packed, PackPanels(*graph.constant(node.inputs[1]), product, store));
  const RowBias bias = RowBias::Of(graph, node);
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node, bias.steps));
  return std::make_unique<PanelKernel>(PanelsOf(product), product.source[0], context.threads,
                                       bias.input, std::move(epilogue), std::move(packed),
                                       absl::StrCat("simd:", text, "panels", EpilogueText(node)));
}

}  // namespace inferd::cpu
