#include "engine/ops/normalization.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/elementwise.h"

namespace inferd {

absl::StatusOr<std::vector<double>> ToDoubles(const Tensor& tensor) {
  std::vector<double> values;
  RETURN_IF_ERROR(
      (DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                     uint16_t, uint32_t, uint64_t, bool>(tensor.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        values.reserve(tensor.num_elements());
        for (T value : tensor.values<T>()) values.push_back(static_cast<double>(value));
        return absl::OkStatus();
      })));
  return values;
}

absl::Status CheckParameter(absl::string_view name, const SymbolicShape& parameter,
                            const SymbolicShape& x) {
  if (!parameter.has_rank() || !x.has_rank()) return absl::OkStatus();
  bool fits = parameter.rank() <= x.rank();
  for (int i = 1; fits && i <= parameter.rank(); ++i) {
    const Dim& have = parameter[parameter.rank() - i];
    const Dim& want = x[x.rank() - i];
    fits = !have.known() || have.value == 1 || !want.known() || have.value == want.value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " has shape ", parameter.ToString(),
                                                 ", which does not broadcast to ", x.ToString()));
}

absl::StatusOr<std::vector<double>> RepeatedParameter(absl::string_view name,
                                                      const Tensor& parameter, const Shape& x,
                                                      int axis) {
  RETURN_IF_ERROR(CheckParameter(name, parameter.shape(), x));
  const bool repeats = parameter.rank() <= x.rank() - axis;
  const Shape over(repeats ? x.dims().subspan(axis) : x.dims());
  ASSIGN_OR_RETURN(const std::vector<double> values, ToDoubles(parameter));
  const int64_t count = over.num_elements();
  if (parameter.num_elements() == count) return values;
  std::vector<double> result;
  BroadcastWalk<1> walk(over, {&parameter.shape()});
  for (int64_t i = 0; i < count; ++i, walk.Next()) result.push_back(values[walk.offset(0)]);
  return result;
}

absl::Status CheckChannelParameters(const InferContext& context, int begin, int end) {
  const SymbolicShape& x = context.shape(0);
  if (x.has_rank() && x.rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", x.ToString(), ", expected [N,C,...]"));
  }
  const Dim channels = x.has_rank() ? x[1] : Dim::Unknown();
  for (int i = begin; i < end; ++i) {
    RETURN_IF_ERROR(CheckChannelVector(absl::StrCat("input ", i), context.shape(i), channels));
  }
  return absl::OkStatus();
}

absl::Status CheckChannelParameters(const KernelContext& context, int begin, int end) {
  const Shape& x = context.input(0).shape();
  if (x.rank() < 2) return absl::InvalidArgumentError("X has no channels");
  for (int i = begin; i < end; ++i) {
    RETURN_IF_ERROR(
        CheckChannelVector(absl::StrCat("input ", i), context.input(i).shape(), Dim(x[1])));
  }
  return absl::OkStatus();
}

}  // namespace inferd
