#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::StatusOr<int64_t> CategoryCount(const Attributes& attributes) {
  const size_t count =
      std::max(attributes.Ints("cats_int64s").size(), attributes.Strings("cats_strings").size());
  if (count > 0) return static_cast<int64_t>(count);
  return absl::InvalidArgumentError("attributes cats_int64s and cats_strings are both missing");
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const int64_t categories, CategoryCount(context.attributes()));
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank()) shape.mutable_dims().push_back(categories);
  context.SetOutput(0, DType::kFloat32, std::move(shape));
  return absl::OkStatus();
}

// The category that `x` names; nullopt for one that no integer can be.
template <typename Key, typename X>
std::optional<Key> CategoryOf(const X& x) {
  if constexpr (std::is_floating_point_v<X>) {
    if (std::isnan(x)) return std::nullopt;
    return SaturateToInteger<Key>(x);
  } else {
    return static_cast<Key>(x);
  }
}

template <typename Key, typename X>
absl::Status Encode(const std::vector<Key>& categories, const Tensor& x, bool zeros_allowed,
                    float* y) {
  absl::flat_hash_map<Key, int64_t> positions;
  for (size_t i = 0; i < categories.size(); ++i) positions[categories[i]] = i;
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const auto category = CategoryOf<Key>(x.data<X>()[i]);
    const auto found = category ? positions.find(*category) : positions.end();
    if (found != positions.end()) {
      y[i * static_cast<int64_t>(categories.size()) + found->second] = 1;
    } else if (!zeros_allowed) {
      return absl::InvalidArgumentError(
          absl::StrCat("element ", i, " of X (", x.data<X>()[i], ") is none of the categories"));
    }
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const int64_t categories, CategoryCount(attributes));
  Shape shape = x.shape();
  shape.push_back(categories);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, shape));
  float* to = y->mutable_data<float>();
  std::fill_n(to, y->num_elements(), 0.0f);
  const bool zeros_allowed = attributes.Int("zeros", 1) != 0;
  if (x.dtype() == DType::kString) {
    return Encode<std::string, std::string>(attributes.Strings("cats_strings"), x, zeros_allowed,
                                            to);
  }
  return DispatchTypes<float, double, int32_t, int64_t>(x.dtype(), [&](auto tag) {
    using X = typename decltype(tag)::type;
    return Encode<int64_t, X>(attributes.Ints("cats_int64s"), x, zeros_allowed, to);
  });
}

}  // namespace

OpDef OneHotEncoder() {
  return {.domain = "ai.onnx.ml",
          .name = "OneHotEncoder",
          .since = 1,
          .attributes = {{"cats_int64s", AttributeKind::kInts},
                         {"cats_strings", AttributeKind::kStrings},
                         {"zeros", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
