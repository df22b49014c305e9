#include "engine/ops/pooling.h"

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

absl::Status CheckRank(int rank) {
  if (rank >= 3) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has rank ", rank, ", expected [N,C,spatial...]"));
}

// Taps of output position `position` in dimension i.
int64_t CountTaps(const Window& window, int i, int64_t position, bool count_padding) {
  const int64_t start = position * window.strides[i] - window.pads_begin[i];
  if (!count_padding) {
    const TapRange range = TapsInside(window, i, start);
    return range.end - range.begin;
  }
  // ceil_mode may move the last window past the end of the padding.
  const int64_t room = window.input[i] + window.pads_end[i] - start;
  return std::min((room + window.dilations[i] - 1) / window.dilations[i], window.kernel[i]);
}

}  // namespace

absl::Status InferPool(InferContext& context) {
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank()) {
    RETURN_IF_ERROR(CheckRank(shape.rank()));
    const auto spatial = absl::MakeConstSpan(shape.dims()).subspan(2);
    ASSIGN_OR_RETURN(const Window window, ResolveWindow(context.attributes(), spatial, {}));
    const std::vector<Dim> dims = OutputDims(window, spatial);
    std::copy(dims.begin(), dims.end(), shape.mutable_dims().begin() + 2);
  }
  context.SetOutput(1, DType::kInt64, shape);
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<Window> ResolvePool(const Attributes& attributes, const Shape& x) {
  RETURN_IF_ERROR(CheckRank(x.rank()));
  const SymbolicShape shape = x;
  return ResolveWindow(attributes, absl::MakeConstSpan(shape.dims()).subspan(2), {});
}

Shape PoolOutput(const Shape& x, const Window& window) {
  Shape shape(x.dims().subspan(0, 2));
  for (int64_t size : window.output) shape.push_back(size);
  return shape;
}

std::vector<double> TapCounts(const Window& window, bool count_padding) {
  std::vector<double> counts = {1};
  for (int i = 0; i < window.rank(); ++i) {
    std::vector<double> next;
    next.reserve(counts.size() * window.output[i]);
    for (double outer : counts) {
      for (int64_t position = 0; position < window.output[i]; ++position) {
        next.push_back(outer * static_cast<double>(CountTaps(window, i, position, count_padding)));
      }
    }
    counts = std::move(next);
  }
  return counts;
}

absl::Status InferGlobalPool(InferContext& context) {
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank() && shape.rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", shape.ToString(), ", expected [N,C,spatial...]"));
  }
  for (int i = 2; i < shape.rank(); ++i) shape[i] = 1;
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

}  // namespace inferd
