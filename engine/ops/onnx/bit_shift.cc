#include <type_traits>

#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

// A negative or too large amount leaves what sign extension alone gives.
template <typename T>
T Shift(T value, T amount, bool left) {
  const bool all_bits = amount < 0 || static_cast<uint64_t>(amount) >= sizeof(T) * 8;
  if (left) {
    return all_bits ? T{0} : static_cast<T>(static_cast<uint64_t>(value) << amount);
  }
  if (all_bits) return static_cast<T>(std::is_signed_v<T> && value < 0 ? -1 : 0);
  return static_cast<T>(value >> amount);
}

absl::Status Compute(KernelContext& context) {
  const std::string direction = context.attributes().String("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    return absl::InvalidArgumentError(
        absl::StrCat("direction is \"", direction, "\", expected LEFT or RIGHT"));
  }
  const bool left = direction == "LEFT";
  return DispatchInteger(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapBinary<T, T>(context, [left](T a, T b) { return Shift(a, b, left); });
  });
}

}  // namespace

OpDef BitShift() {
  OpDef def = BinaryElementwise("BitShift", 28, Compute);
  def.attributes = {{"direction", AttributeKind::kString, true}};
  return def;
}

}  // namespace inferd::ops::onnx
