#include <cmath>

#include "engine/core/status_macros.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<std::vector<int>> ReadAxes(const Attributes& attributes, int rank) {
  if (!attributes.Has("axes")) return NormalizeAxes({0, 2, 3}, rank);
  return NormalizeAxes(attributes.Ints("axes"), rank);
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& x = context.shape(0);
  if (x.has_rank()) RETURN_IF_ERROR(ReadAxes(context.attributes(), x.rank()).status());
  return InferSameAsFirst(context);
}

// Per element of the reduced shape: sum of (x - shift)^power over the elements that map to it.
template <typename T>
std::vector<double> Sums(const Tensor& x, const Shape& reduced, const std::vector<double>* shift) {
  std::vector<double> sums(reduced.num_elements());
  BroadcastWalk<1> walk(x.shape(), {&reduced});
  for (int64_t i = 0; i < x.num_elements(); ++i, walk.Next()) {
    const double value = static_cast<double>(x.data<T>()[i]);
    const double distance = shift == nullptr ? 0 : value - (*shift)[walk.offset(0)];
    sums[walk.offset(0)] += shift == nullptr ? value : distance * distance;
  }
  return sums;
}

template <typename T>
void Normalize(const Tensor& x, const Shape& reduced, T* y) {
  constexpr double kEpsilon = 1e-9;
  const double count = static_cast<double>(x.num_elements() / reduced.num_elements());
  std::vector<double> means = Sums<T>(x, reduced, nullptr);
  for (double& mean : means) mean /= count;
  const std::vector<double> squares = Sums<T>(x, reduced, &means);
  BroadcastWalk<1> walk(x.shape(), {&reduced});
  for (int64_t i = 0; i < x.num_elements(); ++i, walk.Next()) {
    const int64_t g = walk.offset(0);
    y[i] = static_cast<T>((static_cast<double>(x.data<T>()[i]) - means[g]) /
                          (std::sqrt(squares[g] / count) + kEpsilon));
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int> axes, ReadAxes(context.attributes(), x.rank()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  Shape reduced = x.shape();
  for (int axis : axes) reduced[axis] = 1;
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Normalize(x, reduced, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef MeanVarianceNormalization() {
  return {.name = "MeanVarianceNormalization",
          .since = 13,
          .attributes = {{"axes", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
