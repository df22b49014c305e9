#include "engine/onnx/upconvert/conversion.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "engine/core/status_macros.h"

namespace inferd {

ValueId ConversionContext::Int64s(absl::Span<const int64_t> values) {
  return Constant(Tensor::FromValues<int64_t>(Shape{static_cast<int64_t>(values.size())}, values));
}

ValueId ConversionContext::Int64Scalar(int64_t value) {
  return Constant(Tensor::Scalar<int64_t>(value));
}

namespace {

// Integers take the nearest value they can hold: the number comes from the model.
template <typename T>
T FromFloat(float value) {
  if constexpr (std::is_integral_v<T>) {
    if (!(value > static_cast<double>(std::numeric_limits<T>::min()))) {
      return std::numeric_limits<T>::min();
    }
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
      return std::numeric_limits<T>::max();
    }
  }
  return static_cast<T>(value);
}

}  // namespace

absl::StatusOr<ValueId> ConversionContext::FloatScalar(DType dtype, float value) {
  ValueId result = kNoValue;
  RETURN_IF_ERROR(DispatchNumeric(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    result = Constant(Tensor::Scalar<T>(FromFloat<T>(value)));
    return absl::OkStatus();
  }));
  return result;
}

absl::StatusOr<ValueId> ConversionContext::Emit(absl::string_view op_type,
                                                std::vector<ValueId> inputs,
                                                Attributes attributes) {
  OnnxNode node;
  node.op_type = std::string(op_type);
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  const ValueId output = graph_.AddValue("");
  node.outputs = {output};
  RETURN_IF_ERROR(emitter_.Emit(std::move(node), graph_));
  return output;
}

absl::StatusOr<ValueId> ConversionContext::EmitBefore(const OnnxNode& node, size_t i) {
  OnnxNode copy = node;
  const ValueId output = graph_.AddValue("");
  copy.outputs[i] = output;
  RETURN_IF_ERROR(emitter_.Emit(std::move(copy), graph_));
  return output;
}

}  // namespace inferd
