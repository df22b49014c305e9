#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/graph/attributes.h"
#include "engine/graph/graph.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The activation of a convolution that inferd's own operators have as an attribute rather than as
// an epilogue, since they read its result again: Relu, HardSwish, Swish with its alpha, or none. A
// value type.
struct ConvActivation {
  std::string name;
  float alpha = 1;

  // From attributes `prefix`activation and `prefix`alpha. INVALID_ARGUMENT for other names.
  static absl::StatusOr<ConvActivation> Read(const Attributes& attributes,
                                             absl::string_view prefix = "");
  // That of a node's epilogue; nullopt where the epilogue is more than one of these.
  static std::optional<ConvActivation> OfEpilogue(const Node& node);
  void WriteTo(Attributes* attributes, absl::string_view prefix = "") const;

  float Of(float x) const;
  // Every float of y.
  void ApplyTo(Tensor& y) const;
};

// Writes output 1, the means over all pixels of `y`, [N,C,1...] of [N,C,pixels...].
absl::Status WriteChannelMeans(KernelContext& context, const Tensor& y);

}  // namespace inferd
