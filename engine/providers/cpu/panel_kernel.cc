#include "engine/providers/cpu/panel_kernel.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_loop.h"
#include "engine/providers/cpu/row_bias.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

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
    const PanelOperands operands = PanelOperandsOf(
        context, product_, context.inputs[0]->data<float>(), *weights_, bias_, epilogue_);
    RunPanels(context, product_, operands, epilogue_.rest, rows_,
              std::min(threads_, context.threads), [](int, const PanelPart&) { return nullptr; });
    return absl::OkStatus();
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }
  int64_t input_row() const override { return product_.depth; }
  int64_t output_row() const override { return epilogue_.rest.empty() ? product_.columns : 0; }

 private:
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
