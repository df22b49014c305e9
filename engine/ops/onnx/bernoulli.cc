#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/op_def.h"
#include "engine/ops/random_generator.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> OutputType(const Attributes& attributes, DType input) {
  return ReadDType(attributes, "dtype", input,
                   {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16,
                    DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64, DType::kUint8,
                    DType::kUint16, DType::kUint32, DType::kUint64, DType::kBool});
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes(), context.dtype(0)));
  context.SetOutput(0, dtype, context.shape(0));
  return absl::OkStatus();
}

// The draws for probabilities p: one for each element, in order.
template <typename T>
absl::StatusOr<std::vector<bool>> Draw(RandomGenerator generator, absl::Span<const T> p) {
  std::vector<bool> draws;
  draws.reserve(p.size());
  for (T element : p) {
    const double probability = static_cast<double>(element);
    if (!(probability >= 0 && probability <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("input has ", probability, ", expected probabilities within [0,1]"));
    }
    draws.push_back(generator.Uniform() < probability);
  }
  return draws;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& p = context.input(0);
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes(), p.dtype()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, p.shape()));
  std::vector<bool> draws;
  RETURN_IF_ERROR(DispatchFloat(p.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    ASSIGN_OR_RETURN(draws, Draw(RandomGenerator(context.attributes()), p.values<T>()));
    return absl::OkStatus();
  }));
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < draws.size(); ++i) y->mutable_data<T>()[i] = T(draws[i] ? 1 : 0);
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Bernoulli() {
  return {.name = "Bernoulli",
          .since = 22,
          .attributes = {{"dtype", AttributeKind::kInt}, {"seed", AttributeKind::kFloat}},
          .deterministic = false,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
