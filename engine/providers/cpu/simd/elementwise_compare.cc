#include <functional>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/broadcast_step.h"

namespace inferd::cpu {
namespace {

// Calls fn(function object) for the comparison or logic operator `name`; false when it is neither.
template <typename Fn>
bool ForComparison(absl::string_view name, const Fn& fn) {
  if (name == "Equal") return fn(std::equal_to<>()), true;
  if (name == "Less") return fn(std::less<>()), true;
  if (name == "LessOrEqual") return fn(std::less_equal<>()), true;
  if (name == "Greater") return fn(std::greater<>()), true;
  if (name == "GreaterOrEqual") return fn(std::greater_equal<>()), true;
  return false;
}

template <typename Fn>
bool ForLogic(absl::string_view name, const Fn& fn) {
  if (name == "And") return fn(std::bit_and<>()), true;
  if (name == "Or") return fn(std::bit_or<>()), true;
  if (name == "Xor") return fn(std::bit_xor<>()), true;
  if (name == "Equal") return fn(std::equal_to<>()), true;
  return false;
}

class NotStep : public ElementwiseStep {
 public:
  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(operands[0]);
    uint8_t* y = static_cast<uint8_t*>(output);
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] == 0;
  }
};

bool Supports(const StepRequest& request) {
  if (!request.op.domain.empty() || OutputType(request) != DType::kBool) return false;
  const DType dtype = OperandType(request, 0);
  if (request.op.name == "Not") return dtype == DType::kBool;
  if (request.operands.size() != 2 || OperandType(request, 1) != dtype) return false;
  const auto nothing = [](auto) {};
  if (dtype == DType::kBool) return ForLogic(request.op.name, nothing);
  return (dtype == DType::kFloat32 || dtype == DType::kInt64 || dtype == DType::kInt32) &&
         ForComparison(request.op.name, nothing);
}

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  if (request.op.name == "Not") return std::make_unique<NotStep>();
  BroadcastLoop loop = LoopOf(request, 2);
  std::unique_ptr<ElementwiseStep> step;
  if (OperandType(request, 0) == DType::kBool) {
    ForLogic(request.op.name, [&](auto fn) {
      step = std::make_unique<ScalarBinaryStep<bool, bool, decltype(fn)>>(std::move(loop));
    });
    return step;
  }
  RETURN_IF_ERROR((DispatchTypes<float, int64_t, int32_t>(OperandType(request, 0), [&](auto tag) {
    using T = typename decltype(tag)::type;
    ForComparison(request.op.name, [&](auto fn) {
      step = std::make_unique<ScalarBinaryStep<T, bool, decltype(fn)>>(std::move(loop));
    });
    return absl::OkStatus();
  })));
  return step;
}

}  // namespace

ElementwiseFamily CompareFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
