#include <optional>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/binary_f32.h"
#include "engine/providers/cpu/simd/broadcast_step.h"
#include "engine/providers/cpu/simd/unary_f32.h"

namespace inferd::cpu {

BroadcastLoop LoopOf(const StepRequest& request, int num_operands) {
  const Value& output = request.graph.value(request.output);
  std::vector<BroadcastLoop::Operand> operands;
  for (int k = 0; k < num_operands; ++k) {
    const Value& value = request.graph.value(request.operands[k]);
    operands.push_back({value.type.shape.ToShape(), value.layout});
  }
  return BroadcastLoop(output.type.shape.ToShape(), output.layout, operands);
}

namespace {

struct BinaryCall {
  BinaryF32 op;
  // Applied to the result where it is not kCopy.
  UnaryF32 then = UnaryF32::kCopy;
};

class BinaryStep : public ElementwiseStep {
 public:
  BinaryStep(BinaryCall call, BroadcastLoop loop) : call_(call), loop_(std::move(loop)) {}

  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    const float* a = static_cast<const float*>(operands[0]);
    const float* b = static_cast<const float*>(operands[1]);
    float* y = static_cast<float*>(output);
    loop_.ForRange(begin, end, [&](const BroadcastLoop::Block& block) {
      const BinaryRows rows{block.rows,          block.cols,          block.row_stride[0],
                            block.row_stride[1], block.col_stride[0], block.col_stride[1]};
      RunBinaryF32(call_.op, rows, a + block.offset[0], b + block.offset[1],
                   y + block.output_offset);
    });
    if (call_.then != UnaryF32::kCopy) {
      RunUnaryF32(call_.then, 0.0f, 0.0f, y + begin, y + begin, end - begin);
    }
  }

 private:
  BinaryCall call_;
  BroadcastLoop loop_;
};

struct NamedOp {
  absl::string_view domain;
  absl::string_view name;
  BinaryCall call;
};

constexpr NamedOp kOps[] = {
    {"", "Add", {BinaryF32::kAdd}},
    {"", "Sub", {BinaryF32::kSub}},
    {"", "Mul", {BinaryF32::kMul}},
    {"", "Div", {BinaryF32::kDiv}},
    {"", "Min", {BinaryF32::kMin}},
    {"", "Max", {BinaryF32::kMax}},
    {"", "Pow", {BinaryF32::kPow}},
    {"", "PRelu", {BinaryF32::kPrelu}},
    {"com.microsoft", "BiasGelu", {BinaryF32::kAdd, UnaryF32::kGelu}},
    {"com.microsoft", "FastGelu", {BinaryF32::kAdd, UnaryF32::kGeluTanh}},
};

std::optional<BinaryCall> FindCall(const StepRequest& request) {
  if (request.operands.size() != 2 || OutputType(request) != DType::kFloat32 ||
      OperandType(request, 0) != DType::kFloat32 || OperandType(request, 1) != DType::kFloat32) {
    return std::nullopt;
  }
  for (const NamedOp& named : kOps) {
    if (named.name == request.op.name && named.domain == request.op.domain) return named.call;
  }
  return std::nullopt;
}

bool Supports(const StepRequest& request) { return FindCall(request).has_value(); }

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  return std::make_unique<BinaryStep>(*FindCall(request), LoopOf(request, 2));
}

}  // namespace

ElementwiseFamily BinaryFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
