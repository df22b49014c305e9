// Operators whose attribute `axes` or `split` became an input.
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

absl::Status ListToInput(OnnxNode& node, ConversionContext& context, absl::string_view name) {
  if (node.attributes.Has(name)) {
    const auto* list = std::get_if<std::vector<int64_t>>(node.attributes.Find(name));
    if (list == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is no list of ints"));
    }
    if (node.inputs.size() != 1) {
      return absl::InvalidArgumentError(absl::StrCat("it has ", node.inputs.size(),
                                                     " inputs; before attribute ", name,
                                                     " became an input it took 1"));
    }
    // An empty list meant the same as none.
    if (!list->empty()) node.SetInput(1, context.Int64s(*list));
    node.attributes.Erase(name);
  }
  return absl::OkStatus();
}

absl::Status AxesToInput(OnnxNode& node, ConversionContext& context) {
  return ListToInput(node, context, "axes");
}

absl::Status RequiredAxesToInput(OnnxNode& node, ConversionContext& context) {
  if (!node.attributes.Has("axes")) {
    return absl::InvalidArgumentError("attribute axes (ints) is missing");
  }
  RETURN_IF_ERROR(ListToInput(node, context, "axes"));
  if (!node.has_input(1)) node.SetInput(1, context.Int64s({}));
  return absl::OkStatus();
}

absl::Status SplitToInput(OnnxNode& node, ConversionContext& context) {
  return ListToInput(node, context, "split");
}

absl::Status CountSplitOutputs(OnnxNode& node, ConversionContext&) {
  if (!node.has_input(1)) {
    node.attributes.Set("num_outputs", static_cast<int64_t>(node.outputs.size()));
  }
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Squeeze", 13, AxesToInput},         {"", "Unsqueeze", 13, RequiredAxesToInput},
    {"", "ReduceSum", 13, AxesToInput},       {"", "ReduceL1", 18, AxesToInput},
    {"", "ReduceL2", 18, AxesToInput},        {"", "ReduceLogSum", 18, AxesToInput},
    {"", "ReduceLogSumExp", 18, AxesToInput}, {"", "ReduceMax", 18, AxesToInput},
    {"", "ReduceMean", 18, AxesToInput},      {"", "ReduceMin", 18, AxesToInput},
    {"", "ReduceProd", 18, AxesToInput},      {"", "ReduceSumSquare", 18, AxesToInput},
    {"", "Split", 13, SplitToInput},          {"", "Split", 18, CountSplitOutputs},
};

}  // namespace

absl::Span<const Conversion> AxesConversions() { return kRows; }

}  // namespace inferd
