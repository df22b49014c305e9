#include <cmath>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

// The list `prefix`_int64s, _floats, _strings or _tensor, whichever is there, as a tensor.
absl::StatusOr<Tensor> ReadList(const Attributes& attributes, const std::string& prefix) {
  const auto length = [](const auto& list) { return Shape({static_cast<int64_t>(list.size())}); };
  if (const Tensor* tensor = attributes.TensorOrNull(prefix + "_tensor")) return *tensor;
  if (const auto& ints = attributes.Ints(prefix + "_int64s"); !ints.empty()) {
    return Tensor::FromValues<int64_t>(length(ints), ints);
  }
  if (const auto& floats = attributes.Floats(prefix + "_floats"); !floats.empty()) {
    return Tensor::FromValues<float>(length(floats), floats);
  }
  if (const auto& strings = attributes.Strings(prefix + "_strings"); !strings.empty()) {
    return Tensor::FromValues<std::string>(length(strings), strings);
  }
  return absl::InvalidArgumentError(absl::StrCat("attribute ", prefix, "_* is missing"));
}

absl::StatusOr<Tensor> ReadDefault(const Attributes& attributes, DType dtype) {
  if (const Tensor* tensor = attributes.TensorOrNull("default_tensor");
      tensor != nullptr && tensor->dtype() == dtype && tensor->num_elements() == 1) {
    return *tensor;
  }
  Tensor result;
  RETURN_IF_ERROR(
      (DispatchTypes<std::string, int64_t, float, int32_t, int16_t, double>(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_same_v<T, std::string>) {
          result = Tensor::Scalar<T>(attributes.String("default_string", "_Unused"));
        } else if constexpr (std::is_same_v<T, int64_t>) {
          result = Tensor::Scalar<T>(attributes.Int("default_int64", -1));
        } else if constexpr (std::is_same_v<T, float>) {
          result = Tensor::Scalar<T>(attributes.Float("default_float", -0.0f));
        } else {
          result = Tensor::Scalar<T>(std::is_floating_point_v<T> ? T(-0.0) : T(-1));
        }
        return absl::OkStatus();
      })));
  return result;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Tensor values, ReadList(context.attributes(), "values"));
  context.SetOutput(0, values.dtype(), context.shape(0));
  return absl::OkStatus();
}

template <typename Key>
bool IsNan(const Key& key) {
  if constexpr (std::is_floating_point_v<Key>) return std::isnan(key);
  return false;
}

// For each element of x the position of its key, or -1. The last of equal keys counts, and NaN
// equals NaN.
template <typename Key>
std::vector<int64_t> FindKeys(const Tensor& x, const Tensor& keys) {
  absl::flat_hash_map<Key, int64_t> positions;
  int64_t nan_position = -1;
  for (int64_t i = 0; i < keys.num_elements(); ++i) {
    const Key& key = keys.data<Key>()[i];
    if (IsNan(key)) {
      nan_position = i;
    } else {
      positions[key] = i;
    }
  }
  std::vector<int64_t> found;
  found.reserve(x.num_elements());
  for (const Key& key : x.values<Key>()) {
    const auto it = positions.find(key);
    found.push_back(IsNan(key) ? nan_position : it == positions.end() ? -1 : it->second);
  }
  return found;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const Tensor keys, ReadList(attributes, "keys"));
  ASSIGN_OR_RETURN(const Tensor values, ReadList(attributes, "values"));
  ASSIGN_OR_RETURN(const Tensor missing, ReadDefault(attributes, values.dtype()));
  if (keys.dtype() != x.dtype()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "keys have element type ", DTypeName(keys.dtype()), ", X has ", DTypeName(x.dtype())));
  }
  if (keys.num_elements() != values.num_elements()) {
    return absl::InvalidArgumentError(
        absl::StrCat(keys.num_elements(), " keys and ", values.num_elements(), " values"));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, values.dtype(), x.shape()));
  std::vector<int64_t> found;
  RETURN_IF_ERROR((DispatchTypes<std::string, int64_t, float, int32_t, int16_t, double>(
      x.dtype(), [&](auto tag) {
        found = FindKeys<typename decltype(tag)::type>(x, keys);
        return absl::OkStatus();
      })));
  return DispatchTypes<std::string, int64_t, float, int32_t, int16_t, double>(
      values.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        for (size_t i = 0; i < found.size(); ++i) {
          y->mutable_data<T>()[i] =
              found[i] < 0 ? missing.data<T>()[0] : values.data<T>()[found[i]];
        }
        return absl::OkStatus();
      });
}

}  // namespace

OpDef LabelEncoder() {
  return {.domain = "ai.onnx.ml",
          .name = "LabelEncoder",
          .since = 4,
          .attributes = {{"default_float", AttributeKind::kFloat},
                         {"default_int64", AttributeKind::kInt},
                         {"default_string", AttributeKind::kString},
                         {"default_tensor", AttributeKind::kTensor},
                         {"keys_floats", AttributeKind::kFloats},
                         {"keys_int64s", AttributeKind::kInts},
                         {"keys_strings", AttributeKind::kStrings},
                         {"keys_tensor", AttributeKind::kTensor},
                         {"values_floats", AttributeKind::kFloats},
                         {"values_int64s", AttributeKind::kInts},
                         {"values_strings", AttributeKind::kStrings},
                         {"values_tensor", AttributeKind::kTensor}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
