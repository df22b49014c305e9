#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_attention.h"

namespace inferd::ops::internal {
namespace {

enum Input { kQ, kK, kV, kBias, kMask };

int64_t ElementsOf(const InferContext& context, int i) {
  if (!context.has_input(i) || !context.shape(i).IsConcrete()) return -1;
  return context.shape(i).ToShape().num_elements();
}

int64_t ElementsOf(const KernelContext& context, int i) {
  return context.has_input(i) ? context.input(i).num_elements() : -1;
}

bool IsFloat(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}

absl::Status CheckDType(const InferContext& context, int i, DType expected) {
  if (!context.has_input(i) || context.dtype(i) == expected ||
      context.dtype(i) == DType::kInvalid) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("input ", i, " is ", DTypeName(context.dtype(i)),
                                                 ", expected ", DTypeName(expected)));
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(context.attributes()));
  const DType dtype =
      context.has_input(kQ) && IsFloat(context.dtype(kQ)) ? context.dtype(kQ) : DType::kFloat32;
  for (int i : {kQ, kK, kV}) RETURN_IF_ERROR(CheckDType(context, i, dtype));
  if (!context.has_input(kBias) || context.dtype(kBias) != dtype) {
    RETURN_IF_ERROR(CheckDType(context, kBias, DType::kFloat32));
  }
  RETURN_IF_ERROR(CheckDType(context, kMask, DType::kBool));
  for (int i : {kQ, kK, kV}) {
    if (!context.has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
  }
  RETURN_IF_ERROR(attention.CheckElements(ElementsOf(context, kQ), ElementsOf(context, kK),
                                          ElementsOf(context, kV), ElementsOf(context, kBias),
                                          ElementsOf(context, kMask)));
  context.SetOutput(0, dtype, attention.output_shape);
  return absl::OkStatus();
}

// The operands of any float type, as floats. Without a bias where there is none.
struct Floats {
  Tensor q, k, v, bias;
};

absl::StatusOr<Tensor> AsFloats(const Tensor& tensor) {
  if (tensor.dtype() == DType::kFloat32) return tensor;
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Allocate(DType::kFloat32, tensor.shape()));
  RETURN_IF_ERROR(CastElements(tensor, &floats));
  return floats;
}

absl::StatusOr<Floats> ReadFloats(const KernelContext& context) {
  Floats floats;
  ASSIGN_OR_RETURN(floats.q, AsFloats(context.input(kQ)));
  ASSIGN_OR_RETURN(floats.k, AsFloats(context.input(kK)));
  ASSIGN_OR_RETURN(floats.v, AsFloats(context.input(kV)));
  if (context.has_input(kBias)) {
    ASSIGN_OR_RETURN(floats.bias, AsFloats(context.input(kBias)));
  }
  return floats;
}

// The scores of a head before the softmax.
std::vector<float> Scores(const KernelContext& context, const Floats& floats,
                          const StridedAttention& attention, int64_t b, int64_t h) {
  const float* q = floats.q.data<float>();
  const float* k = floats.k.data<float>();
  std::vector<float> scores;
  for (int64_t i = 0; i < attention.queries; ++i) {
    for (int64_t j = 0; j < attention.keys; ++j) {
      double product = 0;
      for (int64_t d = 0; d < attention.depth; ++d) {
        product += static_cast<double>(q[attention.q.At(b, h, i) + d]) *
                   static_cast<double>(k[attention.k.At(b, h / attention.group, j) + d]);
      }
      float score = static_cast<float>(product) * attention.scale;
      if (context.has_input(kMask) &&
          context.input(kMask).data<bool>()[attention.mask.At(b, h, i) + j] ==
              attention.mask_hides) {
        score = attention.hidden;
      }
      if (context.has_input(kBias)) {
        score += floats.bias.data<float>()[attention.bias.At(b, h, i) + j];
      }
      if (attention.causal && j > i + attention.first_position) {
        score = -std::numeric_limits<float>::infinity();
      }
      scores.push_back(score);
    }
  }
  return scores;
}

// Y in floats, row-major, zeros where no row lies.
absl::Status Attend(const KernelContext& context, const StridedAttention& attention, float* y) {
  ASSIGN_OR_RETURN(const Floats floats, ReadFloats(context));
  const float* v = floats.v.data<float>();
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  for (int64_t at = 0; at < attention.batch * attention.heads; ++at) {
    const int64_t b = at / attention.heads, h = at % attention.heads;
    const std::vector<float> scores = Scores(context, floats, attention, b, h);
    for (int64_t i = 0; i < attention.queries; ++i) {
      const float* row = scores.data() + i * attention.keys;
      const float high =
          attention.keys == 0 ? kLowest : *std::max_element(row, row + attention.keys);
      if (attention.keys == 0 || (high == kLowest && attention.zero_hidden_rows)) continue;
      double sum = 0;
      for (int64_t j = 0; j < attention.keys; ++j) sum += std::exp(row[j] - high);
      for (int64_t c = 0; c < attention.width; ++c) {
        double value = 0;
        for (int64_t j = 0; j < attention.keys; ++j) {
          value += std::exp(row[j] - high) / sum *
                   static_cast<double>(v[attention.v.At(b, h / attention.group, j) + c]);
        }
        y[attention.y.At(b, h, i) + c] = static_cast<float>(value);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(context.attributes()));
  RETURN_IF_ERROR(attention.CheckElements(ElementsOf(context, kQ), ElementsOf(context, kK),
                                          ElementsOf(context, kV), ElementsOf(context, kBias),
                                          ElementsOf(context, kMask)));
  RETURN_IF_ERROR(CheckScoreBytes(attention.queries, attention.keys, context.limit_bytes()));
  const DType dtype = context.input(kQ).dtype();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, attention.output_shape));
  Tensor floats = *y;
  if (dtype != DType::kFloat32) {
    ASSIGN_OR_RETURN(floats, Tensor::Allocate(DType::kFloat32, attention.output_shape));
  }
  std::fill_n(floats.mutable_data<float>(), floats.num_elements(), 0.0f);
  RETURN_IF_ERROR(Attend(context, attention, floats.mutable_data<float>()));
  return dtype == DType::kFloat32 ? absl::OkStatus() : CastElements(floats, y);
}

}  // namespace

// Attention over operands wherever they lie in their tensors (see StridedAttention). Made by
// passes, over bound shapes: inputs Q, K, V, the bias that is added to the scores, a mask of bools.
OpDef Attention() {
  return {.domain = "inferd",
          .name = "Attention",
          .min_inputs = 3,
          .max_inputs = 5,
          .attributes = StridedAttention::AttributeSpecs(),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
