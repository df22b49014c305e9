#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "dnnl.hpp"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/primitive_table.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// One memory that a oneDNN primitive reads or writes, and where its bytes are when the step runs.
struct DnnlArgument {
  enum class Source : uint8_t { kInput, kOutput, kPacked, kScratch };
  int id = 0;  // DNNL_ARG_...
  dnnl::memory::desc desc;
  Source source = Source::kInput;
  int index = 0;               // of the node's input or output
  int64_t scratch_offset = 0;  // for kScratch
  std::shared_ptr<const PackedWeights> packed;
};

// One primitive with its arguments.
struct DnnlCall {
  std::shared_ptr<const DnnlPrimitive> primitive;
  std::vector<DnnlArgument> arguments;
};

// A step that executes oneDNN primitives one after the other. Built by DnnlKernelBuilder.
// Immutable apart from a spare set of memory handles that is handed over atomically.
class DnnlKernel : public BoundKernel {
 public:
  DnnlKernel(std::vector<DnnlCall> calls, int64_t scratch_bytes, std::string description);
  ~DnnlKernel() override;

  absl::Status Run(const StepContext& context) const override;
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override;

 private:
  struct Handles;
  std::unique_ptr<Handles> MakeHandles() const;
  absl::Status Execute(const StepContext& context, Handles& handles) const;

  const std::vector<DnnlCall> calls_;
  const int64_t scratch_bytes_;
  const std::string description_;
  mutable std::atomic<Handles*> spare_{nullptr};
};

}  // namespace inferd::cpu
