#include "engine/onnx/upconvert/upconvert.h"

#include "engine/core/status_macros.h"

namespace inferd {
namespace {

using Table = absl::Span<const Conversion> (*)();

// In this order; MicrosoftConversions, which move nodes to the standard domain, come last.
constexpr Table kTables[] = {
    AxesConversions,
    AttributeToInputConversions,
    ResizeConversions,
    SoftmaxConversions,
    NormalizationConversions,
    RenamedConversions,
    MlConversions,
    RandomConversions,
    ScanConversions,
    FlexAttentionConversions,
    OptimizerConversions,
    BroadcastConversions,
    MicrosoftConversions,
};

}  // namespace

absl::Status Upconvert(OnnxNode& node, Graph& graph, NodeEmitter& emitter) {
  // Left over from opsets before 6 by some exporters; it says nothing about the result.
  node.attributes.Erase("consumed_inputs");
  ConversionContext context(graph, emitter);
  for (Table table : kTables) {
    for (const Conversion& row : table()) {
      if (node.version >= row.before || node.op_type != row.op_type || node.domain != row.domain) {
        continue;
      }
      RETURN_IF_ERROR(row.convert(node, context));
    }
  }
  return absl::OkStatus();
}

bool HasConversion(absl::string_view domain, absl::string_view op_type) {
  for (Table table : kTables) {
    for (const Conversion& row : table()) {
      if (row.op_type == op_type && row.domain == domain) return true;
    }
  }
  return false;
}

}  // namespace inferd
