#include <limits>
#include <optional>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/elementwise_step.h"
#include "engine/providers/cpu/simd/unary_f32.h"

namespace inferd::cpu {
namespace {

struct UnaryCall {
  UnaryF32 op;
  float p = 0.0f;
  float q = 0.0f;
};

class UnaryStep : public ElementwiseStep {
 public:
  explicit UnaryStep(UnaryCall call) : call_(call) {}
  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    RunUnaryF32(call_.op, call_.p, call_.q, static_cast<const float*>(operands[0]) + begin,
                static_cast<float*>(output) + begin, end - begin);
  }
  bool takes_floats() const override { return true; }

 private:
  UnaryCall call_;
};

struct NamedOp {
  absl::string_view name;
  UnaryF32 op;
};

// Operators without parameters.
constexpr NamedOp kPlain[] = {
    {"Identity", UnaryF32::kCopy},
    {"Cast", UnaryF32::kCopy},
    {"CastLike", UnaryF32::kCopy},
    {"Relu", UnaryF32::kRelu},
    {"Sigmoid", UnaryF32::kSigmoid},
    {"Tanh", UnaryF32::kTanh},
    {"Exp", UnaryF32::kExp},
    {"Log", UnaryF32::kLog},
    {"Sqrt", UnaryF32::kSqrt},
    {"Erf", UnaryF32::kErf},
    {"HardSwish", UnaryF32::kHardSwish},
    {"Mish", UnaryF32::kMish},
    {"Softplus", UnaryF32::kSoftplus},
    {"Softsign", UnaryF32::kSoftsign},
    {"Abs", UnaryF32::kAbs},
    {"Neg", UnaryF32::kNeg},
    {"Reciprocal", UnaryF32::kReciprocal},
    {"Floor", UnaryF32::kFloor},
    {"Ceil", UnaryF32::kCeil},
    {"Round", UnaryF32::kRound},
    {"Sign", UnaryF32::kSign},
};

// A bound of a Clip: operand i, which must be a constant, or as an epilogue step the attribute;
// `missing` when absent, nullopt when not known.
std::optional<float> ClipBound(const StepRequest& request, size_t i, absl::string_view attribute,
                               float missing) {
  if (!HasOperand(request, i)) return request.attributes.Float(attribute, missing);
  const Tensor* constant = request.graph.constant(request.operands[i]);
  if (constant == nullptr || constant->num_elements() != 1 ||
      constant->dtype() != DType::kFloat32) {
    return std::nullopt;
  }
  return constant->data<float>()[0];
}

std::optional<UnaryCall> ClipCall(const StepRequest& request) {
  // An absent bound does not cut infinities off.
  const float inf = std::numeric_limits<float>::infinity();
  const auto low = ClipBound(request, 1, "min", -inf);
  const auto high = ClipBound(request, 2, "max", inf);
  if (!low || !high) return std::nullopt;
  return UnaryCall{UnaryF32::kClip, *low, *high};
}

std::optional<UnaryCall> ActivationCall(absl::string_view name, const Attributes& a) {
  if (name == "LeakyRelu") return UnaryCall{UnaryF32::kLeakyRelu, a.Float("alpha", 0.01f)};
  if (name == "Elu") return UnaryCall{UnaryF32::kElu, a.Float("alpha", 1.0f)};
  if (name == "Swish") return UnaryCall{UnaryF32::kSwish, a.Float("alpha", 1.0f)};
  if (name == "ThresholdedRelu") {
    return UnaryCall{UnaryF32::kThresholdedRelu, a.Float("alpha", 1.0f)};
  }
  if (name == "Selu") {
    return UnaryCall{UnaryF32::kSelu, a.Float("alpha", 1.67326319217681884765625f),
                     a.Float("gamma", 1.05070102214813232421875f)};
  }
  if (name == "HardSigmoid") {
    return UnaryCall{UnaryF32::kHardSigmoid, a.Float("alpha", 0.2f), a.Float("beta", 0.5f)};
  }
  if (name == "Gelu") {
    const bool tanh = a.String("approximate", "none") == "tanh";
    return UnaryCall{tanh ? UnaryF32::kGeluTanh : UnaryF32::kGelu};
  }
  return std::nullopt;
}

// Pow with a constant exponent that a multiplication or square root can do.
std::optional<UnaryCall> PowCall(const StepRequest& request) {
  if (OperandType(request, 1) != DType::kFloat32) return std::nullopt;
  const Tensor* exponent = request.graph.constant(request.operands[1]);
  // One element of rank 0 or 1 leaves the shape of the other operand as it is.
  if (exponent == nullptr || exponent->num_elements() != 1 || exponent->rank() > 1) {
    return std::nullopt;
  }
  const SymbolicShape& base = request.graph.value(request.operands[0]).type.shape;
  if (exponent->rank() == 1 && base.rank() == 0) return std::nullopt;
  const float value = exponent->data<float>()[0];
  if (value == 1.0f) return UnaryCall{UnaryF32::kCopy};
  if (value == 2.0f) return UnaryCall{UnaryF32::kSquare};
  if (value == 3.0f) return UnaryCall{UnaryF32::kCube};
  if (value == 0.5f) return UnaryCall{UnaryF32::kSqrt};
  if (value == -1.0f) return UnaryCall{UnaryF32::kReciprocal};
  return std::nullopt;
}

std::optional<UnaryCall> MicrosoftCall(const StepRequest& request) {
  const absl::string_view name = request.op.name;
  if (name == "Gelu") return UnaryCall{UnaryF32::kGelu};
  if (name == "FastGelu" && !HasOperand(request, 1)) return UnaryCall{UnaryF32::kGeluTanh};
  if (name == "QuickGelu") {
    return UnaryCall{UnaryF32::kSwish, request.attributes.Float("alpha", 1.702f)};
  }
  return std::nullopt;
}

std::optional<UnaryCall> FindCall(const StepRequest& request) {
  if (!IsFloatOrBfloat16(OperandType(request, 0)) || !IsFloatOrBfloat16(OutputType(request))) {
    return std::nullopt;
  }
  if (request.op.domain == "com.microsoft") return MicrosoftCall(request);
  if (!request.op.domain.empty()) return std::nullopt;
  if (request.op.name == "Clip") return ClipCall(request);
  if (request.op.name == "Pow") return PowCall(request);
  for (const NamedOp& plain : kPlain) {
    if (plain.name == request.op.name) return UnaryCall{plain.op};
  }
  return ActivationCall(request.op.name, request.attributes);
}

bool Supports(const StepRequest& request) { return FindCall(request).has_value(); }

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  return std::make_unique<UnaryStep>(*FindCall(request));
}

}  // namespace

ElementwiseFamily UnaryFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
