#include "engine/providers/cpu/simd/parts_kernel.h"

#include <cstddef>

namespace inferd::cpu {
namespace {

// Where the rows of a dense part lie in the dense whole; nullopt unless each row, which is what is
// innermost in memory, is a piece of one row of the whole and every row of the whole has one.
std::optional<RowsPlace> PlaceOfRows(const Value& part, const Value& whole,
                                     const Shape::Dims& strides, int64_t start) {
  const Shape shape = part.type.shape.ToShape();
  if (shape.rank() == 0 || shape.num_elements() == 0 || part.layout != whole.layout) {
    return std::nullopt;
  }
  const Shape::Dims dense = DenseStrides(shape, part.layout);
  const int inner = part.layout == Layout::kChannelsLast ? 1 : shape.rank() - 1;
  const int64_t step = whole.type.shape.ToShape()[inner];
  if (strides[inner] != 1) return std::nullopt;
  for (int d = 0; d < shape.rank(); ++d) {
    if (d == inner || shape[d] == 1) continue;
    if (strides[d] * shape[inner] != dense[d] * step) return std::nullopt;
  }
  return RowsPlace{shape[inner], start, step};
}

}  // namespace

void PartsKernel::Add(const Value& part, const Value& whole, const Shape::Dims& strides,
                      int64_t start) {
  const Shape shape = part.type.shape.ToShape();
  const Shape::Dims dense = DenseStrides(shape, part.layout);
  const int64_t bytes = ElementBytes(whole.type.dtype);
  parts_.push_back({joins_ ? CopyPlan(shape, dense, 0, strides, start, bytes)
                           : CopyPlan(shape, strides, start, dense, 0, bytes),
                    start * bytes, PlaceOfRows(part, whole, strides, start)});
}

absl::Status PartsKernel::Run(const StepContext& context) const {
  const Tensor& whole = joins_ ? *context.outputs[0] : *context.inputs[0];
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Tensor& part = joins_ ? *context.inputs[i] : *context.outputs[i];
    const auto* place = static_cast<const std::byte*>(whole.address()) + parts_[i].start_bytes;
    if (parts_[i].place && part.address() == place) continue;
    if (joins_) {
      parts_[i].copy.Run(part.raw(), context.outputs[0]->mutable_raw(), context.threads);
    } else {
      parts_[i].copy.Run(whole.raw(), context.outputs[i]->mutable_raw(), context.threads);
    }
  }
  epilogue_.ApplyAll(context);
  return absl::OkStatus();
}

std::optional<RowsPlace> PartsKernel::PlaceOfInput(int i) const {
  return joins_ ? PlaceOf(i) : std::nullopt;
}

std::optional<RowsPlace> PartsKernel::PlaceOfOutput(int i) const {
  return joins_ ? std::nullopt : PlaceOf(i);
}

// An epilogue needs its step.
std::optional<RowsPlace> PartsKernel::PlaceOf(int i) const {
  return epilogue_.empty() && i < static_cast<int>(parts_.size()) ? parts_[i].place : std::nullopt;
}

}  // namespace inferd::cpu
