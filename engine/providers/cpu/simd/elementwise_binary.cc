#include <algorithm>
#include <array>
#include <optional>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
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

// Operands of another shape than the output's that are stored as bfloat16.
using NarrowOperands = std::array<bool, 2>;

class BinaryStep : public ElementwiseStep {
 public:
  BinaryStep(BinaryCall call, BroadcastLoop loop, NarrowOperands narrow)
      : call_(call), loop_(std::move(loop)), narrow_(narrow) {}

  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    float* y = static_cast<float*>(output);
    loop_.ForRange(begin, end, [&](const BroadcastLoop::Block& block) {
      if (narrow_[0] || narrow_[1]) return RunWidened(operands, block, y + block.output_offset);
      const BinaryRows rows{block.rows,          block.cols,          block.row_stride[0],
                            block.row_stride[1], block.col_stride[0], block.col_stride[1]};
      RunBinaryF32(call_.op, rows, static_cast<const float*>(operands[0]) + block.offset[0],
                   static_cast<const float*>(operands[1]) + block.offset[1],
                   y + block.output_offset);
    });
    if (call_.then != UnaryF32::kCopy) {
      RunUnaryF32(call_.then, 0.0f, 0.0f, y + begin, y + begin, end - begin);
    }
  }
  bool takes_floats() const override { return true; }

 private:
  static constexpr int64_t kWidened = 2048;  // elements of a row that are widened together

  // A block in pieces of `kWidened` columns. Rows that repeat are widened once.
  void RunWidened(absl::Span<const void* const> operands, const BroadcastLoop::Block& block,
                  float* y) const {
    alignas(64) float buffers[2][kWidened];
    const bool together = RowsRepeat(block) && block.cols <= kWidened;
    const int64_t rows = together ? block.rows : 1;
    for (int64_t i = 0; i < block.rows; i += rows) {
      for (int64_t j = 0; j < block.cols; j += kWidened) {
        BinaryRows piece{rows, std::min(kWidened, block.cols - j)};
        const float* from[2];
        for (int k = 0; k < 2; ++k) {
          const int64_t at = block.offset[k] + i * block.row_stride[k] + j * block.col_stride[k];
          int64_t row = block.row_stride[k];
          int64_t col = block.col_stride[k];
          if (narrow_[k]) {
            const auto* narrow = static_cast<const Bfloat16*>(operands[k]) + at;
            Widen(narrow, col, piece.cols, buffers[k]);
            from[k] = buffers[k];
            row = 0;
            col = col == 0 ? 0 : 1;
          } else {
            from[k] = static_cast<const float*>(operands[k]) + at;
          }
          (k == 0 ? piece.a_row : piece.b_row) = row;
          (k == 0 ? piece.a_col : piece.b_col) = col;
        }
        RunBinaryF32(call_.op, piece, from[0], from[1], y + i * block.cols + j);
      }
    }
  }

  bool RowsRepeat(const BroadcastLoop::Block& block) const {
    return (!narrow_[0] || block.row_stride[0] == 0) && (!narrow_[1] || block.row_stride[1] == 0);
  }

  static void Widen(const Bfloat16* x, int64_t step, int64_t count, float* to) {
    if (step == 1) return WidenBfloat16(x, to, count);
    if (step == 0) count = 1;
    for (int64_t i = 0; i < count; ++i) to[i] = x[i * step];
  }

  BinaryCall call_;
  BroadcastLoop loop_;
  NarrowOperands narrow_;
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
  if (request.operands.size() != 2 || !IsFloatOrBfloat16(OutputType(request)) ||
      !IsFloatOrBfloat16(OperandType(request, 0)) || !IsFloatOrBfloat16(OperandType(request, 1))) {
    return std::nullopt;
  }
  for (const NamedOp& named : kOps) {
    if (named.name == request.op.name && named.domain == request.op.domain) return named.call;
  }
  return std::nullopt;
}

bool Supports(const StepRequest& request) { return FindCall(request).has_value(); }

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  NarrowOperands narrow;
  for (size_t i = 0; i < narrow.size(); ++i) {
    narrow[i] = OperandType(request, i) == DType::kBfloat16 && !LiesAsOutput(request, i);
  }
  return std::make_unique<BinaryStep>(*FindCall(request), LoopOf(request, 2), narrow);
}

}  // namespace

ElementwiseFamily BinaryFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
