#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/broadcast_step.h"

namespace inferd::cpu {
namespace {

// Where over elements of T's size.
template <typename T>
class SelectStep : public ElementwiseStep {
 public:
  explicit SelectStep(BroadcastLoop loop) : loop_(std::move(loop)) {}

  void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
           int64_t end) const override {
    loop_.ForRange(begin, end, [&](const BroadcastLoop::Block& block) {
      const uint8_t* c = static_cast<const uint8_t*>(operands[0]) + block.offset[0];
      const T* a = static_cast<const T*>(operands[1]) + block.offset[1];
      const T* b = static_cast<const T*>(operands[2]) + block.offset[2];
      T* y = static_cast<T*>(output) + block.output_offset;
      for (int64_t i = 0; i < block.rows; ++i, y += block.cols) {
        RunRow(c + i * block.row_stride[0], a + i * block.row_stride[1],
               b + i * block.row_stride[2], block.col_stride, y, block.cols);
      }
    });
  }

 private:
  static void RunRow(const uint8_t* c, const T* a, const T* b, const BroadcastLoop::Offsets& steps,
                     T* y, int64_t cols) {
    if (steps[0] == 1 && steps[1] == 0 && steps[2] == 1) {
      const T spread = *a;
      for (int64_t j = 0; j < cols; ++j) y[j] = c[j] != 0 ? spread : b[j];
    } else if (steps[0] == 1 && steps[1] == 1 && steps[2] == 0) {
      const T spread = *b;
      for (int64_t j = 0; j < cols; ++j) y[j] = c[j] != 0 ? a[j] : spread;
    } else {
      for (int64_t j = 0; j < cols; ++j) {
        y[j] = c[j * steps[0]] != 0 ? a[j * steps[1]] : b[j * steps[2]];
      }
    }
  }

  BroadcastLoop loop_;
};

bool Supports(const StepRequest& request) {
  const DType dtype = OutputType(request);
  if (!request.op.domain.empty() || request.op.name != "Where" || request.operands.size() != 3) {
    return false;
  }
  const int64_t bytes = ElementBytes(dtype);
  return dtype != DType::kString && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) &&
         OperandType(request, 0) == DType::kBool && OperandType(request, 1) == dtype &&
         OperandType(request, 2) == dtype;
}

absl::StatusOr<std::unique_ptr<ElementwiseStep>> Make(const StepRequest& request) {
  BroadcastLoop loop = LoopOf(request, 3);
  switch (ElementBytes(OutputType(request))) {
    case 1:
      return std::make_unique<SelectStep<uint8_t>>(std::move(loop));
    case 2:
      return std::make_unique<SelectStep<uint16_t>>(std::move(loop));
    case 4:
      return std::make_unique<SelectStep<uint32_t>>(std::move(loop));
    default:
      return std::make_unique<SelectStep<uint64_t>>(std::move(loop));
  }
}

}  // namespace

ElementwiseFamily SelectFamily() { return {Supports, Make}; }

}  // namespace inferd::cpu
