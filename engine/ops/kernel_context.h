#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"

namespace inferd {

// What a portable kernel sees: row-major inputs, and outputs it asks for by shape. In a bound plan
// Output() returns planned storage (and checks the shape); in dynamic steps and while folding it
// allocates under a limit. Used by one thread at a time.
class KernelContext {
 public:
  // `planned[i]` is null where the output is to be allocated; `wanted[i]` false where it is absent.
  KernelContext(const Attributes& attributes, absl::Span<const Tensor* const> inputs,
                absl::Span<Tensor* const> outputs, bool outputs_planned, int64_t limit_bytes);

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[i] != nullptr; }
  const Tensor& input(int i) const { return *inputs_[i]; }
  const Attributes& attributes() const { return attributes_; }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool wants_output(int i) const { return i < num_outputs() && outputs_[i] != nullptr; }
  // Storage for output i. Requires wants_output(i). The pointer stays valid until the kernel ends.
  // Planned outputs of elementwise operators may share storage with an input of equal shape.
  absl::StatusOr<Tensor*> Output(int i, DType dtype, const Shape& shape);
  // Sets output i to a sequence, optional, map, or a tensor with storage of its own.
  absl::Status SetOutput(int i, Tensor value);

  // Bytes any one allocation may take.
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  const Attributes& attributes_;
  absl::Span<const Tensor* const> inputs_;
  absl::Span<Tensor* const> outputs_;
  bool outputs_planned_;
  int64_t limit_bytes_;
};

}  // namespace inferd
