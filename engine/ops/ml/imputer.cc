#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

template <typename T, typename Value>
absl::Status Replace(const Tensor& x, const std::vector<Value>& imputed, Value replaced, T* y) {
  const int64_t columns = x.rank() == 0 ? 1 : x.dim(x.rank() - 1);
  const int64_t count = static_cast<int64_t>(imputed.size());
  if (count != 1 && count != columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("imputed values: ", count, ", expected 1 or ", columns));
  }
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const T value = x.data<T>()[i];
    const bool both_nan = value != value && replaced != replaced;
    const bool replace = both_nan || value == static_cast<T>(replaced);
    y[i] = replace ? static_cast<T>(imputed[count == 1 ? 0 : i % columns]) : value;
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  return DispatchTypes<float, double, int32_t, int64_t>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      return Replace(x, attributes.Ints("imputed_value_int64s"),
                     attributes.Int("replaced_value_int64", 0), y->mutable_data<T>());
    } else {
      return Replace(x, attributes.Floats("imputed_value_floats"),
                     attributes.Float("replaced_value_float", 0), y->mutable_data<T>());
    }
  });
}

}  // namespace

OpDef Imputer() {
  return {.domain = "ai.onnx.ml",
          .name = "Imputer",
          .since = 1,
          .attributes = {{"imputed_value_floats", AttributeKind::kFloats},
                         {"imputed_value_int64s", AttributeKind::kInts},
                         {"replaced_value_float", AttributeKind::kFloat},
                         {"replaced_value_int64", AttributeKind::kInt}},
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
