#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::StatusOr<DType> TargetType(const Attributes& attributes) {
  const std::string name = attributes.String("cast_to", "TO_FLOAT");
  if (name == "TO_FLOAT") return DType::kFloat32;
  if (name == "TO_STRING") return DType::kString;
  if (name == "TO_INT64") return DType::kInt64;
  return absl::InvalidArgumentError(absl::StrCat("attribute cast_to is \"", name,
                                                 "\", expected TO_FLOAT, TO_STRING or TO_INT64"));
}

bool IsSparse(const Attributes& attributes) {
  return attributes.String("map_form", "DENSE") == "SPARSE";
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType dtype, TargetType(context.attributes()));
  const Dim size = IsSparse(context.attributes())
                       ? Dim(std::max<int64_t>(context.attributes().Int("max_map", 1), 0))
                       : Dim::Unknown();
  context.SetOutput(0, dtype, SymbolicShape({Dim(1), size}));
  return absl::OkStatus();
}

// Beyond int64 the nearest value, for NaN 0.
template <typename To>
To FromNumber(double value) {
  if constexpr (std::is_same_v<To, int64_t>) {
    if (std::isnan(value)) return 0;
    if (value >= 0x1p63) return std::numeric_limits<int64_t>::max();
    if (value < -0x1p63) return std::numeric_limits<int64_t>::min();
  }
  return static_cast<To>(value);
}

template <typename To, typename From>
absl::StatusOr<To> Convert(const From& value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<To, std::string>) {
    return absl::StrCat(value);
  } else if constexpr (std::is_same_v<From, std::string>) {
    double number = 0;
    if (!absl::SimpleAtod(value, &number)) {
      return absl::InvalidArgumentError(absl::StrCat("map value \"", value, "\" is no number"));
    }
    return FromNumber<To>(number);
  } else {
    return FromNumber<To>(value);
  }
}

// The output position of each map entry, ascending by key.
absl::StatusOr<std::vector<int64_t>> Positions(const Attributes& attributes, const Tensor& keys,
                                               int64_t* size) {
  const absl::Span<const int64_t> values = keys.values<int64_t>();
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int64_t a, int64_t b) { return values[a] < values[b]; });
  std::vector<int64_t> positions(values.size());
  *size = static_cast<int64_t>(values.size());
  for (size_t i = 0; i < order.size(); ++i) positions[order[i]] = i;
  if (!IsSparse(attributes)) return positions;
  *size = std::max<int64_t>(attributes.Int("max_map", 1), 0);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] >= *size) {
      return absl::InvalidArgumentError(
          absl::StrCat("map key ", values[i], " is outside [0,", *size, ")"));
    }
    positions[i] = values[i];
  }
  return positions;
}

template <typename To, typename From>
absl::Status Fill(const Tensor& from, const std::vector<int64_t>& positions, Tensor* y) {
  std::fill_n(y->mutable_data<To>(), y->num_elements(), To());
  for (size_t i = 0; i < positions.size(); ++i) {
    ASSIGN_OR_RETURN(y->mutable_data<To>()[positions[i]], (Convert<To>(from.data<From>()[i])));
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.kind() != ValueKind::kMap || x.elements()[0].dtype() != DType::kInt64 ||
      x.elements()[0].num_elements() != x.elements()[1].num_elements()) {
    return absl::InvalidArgumentError("X is no map with int64 keys");
  }
  ASSIGN_OR_RETURN(const DType dtype, TargetType(context.attributes()));
  int64_t size = 0;
  ASSIGN_OR_RETURN(const std::vector<int64_t> positions,
                   Positions(context.attributes(), x.elements()[0], &size));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, Shape({1, size})));
  const Tensor& values = x.elements()[1];
  return DispatchTypes<std::string, float>(values.dtype(), [&](auto from) {
    using From = typename decltype(from)::type;
    return DispatchTypes<std::string, float, int64_t>(dtype, [&](auto to) {
      return Fill<typename decltype(to)::type, From>(values, positions, y);
    });
  });
}

}  // namespace

OpDef CastMap() {
  return {.domain = "ai.onnx.ml",
          .name = "CastMap",
          .since = 1,
          .attributes = {{"cast_to", AttributeKind::kString},
                         {"map_form", AttributeKind::kString},
                         {"max_map", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
