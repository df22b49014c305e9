#include <type_traits>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/elementwise_step.h"

namespace inferd::cpu {
namespace {

// Every pair among these types but those where a float may not fit its integer target, whose
// rounding rules stay with the portable kernel.
bool IsCastType(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt64 ||
         dtype == DType::kInt32 || dtype == DType::kUint8 || dtype == DType::kBool;
}

template <typename From, typename To>
class CastStep : public ElementwiseStep {
 public:
  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    const From* x = static_cast<const From*>(operands[0]);
    To* y = static_cast<To*>(output);
    if constexpr (std::is_same_v<To, bool>) {
      for (int64_t i = begin; i < end; ++i) y[i] = x[i] != From(0);
    } else {
      for (int64_t i = begin; i < end; ++i) y[i] = static_cast<To>(x[i]);
    }
  }
};

bool Supports(const StepRequest& request) {
  const absl::string_view name = request.op.name;
  if (!request.op.domain.empty() || (name != "Cast" && name != "CastLike")) return false;
  const DType from = OperandType(request, 0);
  const DType to = OutputType(request);
  if (!IsCastType(from) || !IsCastType(to)) return false;
  return !IsFloatingPoint(from) || !IsInteger(to);
}

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  std::unique_ptr<ElementwiseStep> step;
  RETURN_IF_ERROR((DispatchTypes<float, double, int64_t, int32_t, uint8_t, bool>(
      OperandType(request, 0), [&](auto from) {
        return DispatchTypes<float, double, int64_t, int32_t, uint8_t, bool>(
            OutputType(request), [&](auto to) {
              step = std::make_unique<
                  CastStep<typename decltype(from)::type, typename decltype(to)::type>>();
              return absl::OkStatus();
            });
      })));
  return step;
}

}  // namespace

ElementwiseFamily CastFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
