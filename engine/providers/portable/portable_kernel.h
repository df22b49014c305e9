#pragma once

#include <memory>

#include "engine/providers/execution_provider.h"

namespace inferd {

// Runs a node by its operator's portable kernel and then its epilogue, step by step. With
// `planned` false the outputs are allocated as the kernel asks for them (dynamic steps), each at
// most `limit_bytes`. Immutable; Run may be called by many threads at once.
class PortableKernel : public BoundKernel {
 public:
  PortableKernel(const Node& node, bool planned, int64_t limit_bytes);
  absl::Status Run(const StepContext& context) const override;
  std::string description() const override { return "portable"; }

 private:
  absl::Status RunEpilogue(const StepContext& context) const;

  const OpDef& op_;
  Attributes attributes_;
  std::vector<EpilogueStep> epilogue_;
  int num_op_inputs_;
  bool planned_;
  int64_t limit_bytes_;
};

}  // namespace inferd
