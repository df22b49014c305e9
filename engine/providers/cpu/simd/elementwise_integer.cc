#include <type_traits>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/broadcast_step.h"

namespace inferd::cpu {
namespace {

// Arithmetic wraps around, as the operators' definition leaves overflow open.
struct WrapAdd {
  template <typename T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  }
};
struct WrapSub {
  template <typename T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  }
};
struct WrapMul {
  template <typename T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  }
};
struct Smaller {
  template <typename T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
struct Larger {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

template <typename Fn>
bool ForOp(absl::string_view name, const Fn& fn) {
  if (name == "Add") return fn(WrapAdd()), true;
  if (name == "Sub") return fn(WrapSub()), true;
  if (name == "Mul") return fn(WrapMul()), true;
  if (name == "Min") return fn(Smaller()), true;
  if (name == "Max") return fn(Larger()), true;
  return false;
}

bool Supports(const StepRequest& request) {
  const DType dtype = OutputType(request);
  return request.op.domain.empty() && request.operands.size() == 2 &&
         (dtype == DType::kInt64 || dtype == DType::kInt32) && OperandType(request, 0) == dtype &&
         OperandType(request, 1) == dtype && ForOp(request.op.name, [](auto) {});
}

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  BroadcastLoop loop = LoopOf(request, 2);
  std::unique_ptr<ElementwiseStep> step;
  RETURN_IF_ERROR((DispatchTypes<int64_t, int32_t>(OutputType(request), [&](auto tag) {
    using T = typename decltype(tag)::type;
    ForOp(request.op.name, [&](auto fn) {
      step = std::make_unique<ScalarBinaryStep<T, T, decltype(fn)>>(std::move(loop));
    });
    return absl::OkStatus();
  })));
  return step;
}

}  // namespace

ElementwiseFamily IntegerFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
