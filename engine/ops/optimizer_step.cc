#include "engine/ops/optimizer_step.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/ops/index_check.h"
#include "engine/ops/normalization.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

constexpr int kFirst = 2;  // after R and T

// Tensors of one group.
absl::StatusOr<int> CountTensors(int node_inputs, int groups) {
  const int tensors = (node_inputs - kFirst) / groups;
  if (tensors >= 1 && tensors * groups == node_inputs - kFirst) return tensors;
  return absl::InvalidArgumentError(absl::StrCat(
      "it has ", node_inputs, " inputs, expected R, T and a multiple of ", groups, " tensors"));
}

absl::StatusOr<double> ReadRate(const Tensor& tensor) {
  ASSIGN_OR_RETURN(const std::vector<double> values, ToDoubles(tensor));
  if (values.size() == 1) return values[0];
  return absl::InvalidArgumentError(
      absl::StrCat("R is ", tensor.TypeString(), ", expected one number"));
}

// All groups' tensor `i` as float types of one shape, which need not be R's type.
absl::Status CheckTensors(const KernelContext& context, int i, int tensors, int groups) {
  const Tensor& value = context.input(kFirst + i);
  for (int g = 1; g < groups; ++g) {
    const int at = kFirst + g * tensors + i;
    if (!context.has_input(at) || context.input(at).dtype() != value.dtype() ||
        context.input(at).shape() != value.shape()) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", at, " is not like input ", kFirst + i, ", ", value.TypeString()));
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status UpdateTensor(KernelContext& context, int i, int tensors, int groups,
                          const OptimizerUpdate& update, double rate, double count) {
  const Tensor& value = context.input(kFirst + i);
  std::vector<T*> outputs;
  for (int g = 0; g < groups - 1; ++g) {
    const int at = g * tensors + i;
    outputs.push_back(nullptr);
    if (!context.wants_output(at)) continue;
    ASSIGN_OR_RETURN(Tensor * y, context.Output(at, value.dtype(), value.shape()));
    outputs.back() = y->mutable_data<T>();
  }
  std::vector<double> element(groups);
  for (int64_t e = 0; e < value.num_elements(); ++e) {
    for (int g = 0; g < groups; ++g) {
      element[g] = static_cast<double>(context.input(kFirst + g * tensors + i).data<T>()[e]);
    }
    update(context.attributes(), rate, count, element.data());
    for (int g = 0; g < groups - 1; ++g) {
      if (outputs[g] != nullptr) outputs[g][e] = static_cast<T>(element[g == 0 ? 0 : g + 1]);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status InferOptimizer(InferContext& context, int inputs) {
  ASSIGN_OR_RETURN(const int tensors, CountTensors(context.num_inputs(), inputs));
  if (context.num_outputs() > tensors * (inputs - 1)) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", context.num_outputs(),
                                                   " outputs, expected ", tensors * (inputs - 1)));
  }
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kFloat32, DType::kFloat64}));
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt64}));
  for (int i = 0; i < tensors; ++i) {
    for (int g = 0; g < inputs; ++g) {
      const int at = kFirst + g * tensors + i;
      if (!context.has_input(at)) {
        return absl::InvalidArgumentError(absl::StrCat("input ", at, " is absent"));
      }
      RETURN_IF_ERROR(CheckInputType(context, at, {DType::kFloat32, DType::kFloat64}));
      RETURN_IF_ERROR(CheckSameTypes(context, {kFirst + i, at}));
    }
    for (int g = 0; g < inputs - 1; ++g) {
      context.SetOutput(g * tensors + i, context.input_type(kFirst + i));
    }
  }
  return absl::OkStatus();
}

absl::Status ComputeOptimizer(KernelContext& context, int inputs, OptimizerUpdate update) {
  ASSIGN_OR_RETURN(const int tensors, CountTensors(context.num_inputs(), inputs));
  ASSIGN_OR_RETURN(const double rate, ReadRate(context.input(0)));
  ASSIGN_OR_RETURN(const int64_t count, OneInteger(context.input(1), "T"));
  for (int i = 0; i < tensors; ++i) {
    RETURN_IF_ERROR(CheckTensors(context, i, tensors, inputs));
    const DType dtype = context.input(kFirst + i).dtype();
    RETURN_IF_ERROR((DispatchTypes<float, double>(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      return UpdateTensor<T>(context, i, tensors, inputs, update, rate, static_cast<double>(count));
    })));
  }
  return absl::OkStatus();
}

OpDef OptimizerOp(absl::string_view name, std::vector<AttributeSpec> attributes,
                  absl::Status (*infer)(InferContext& context),
                  absl::Status (*compute)(KernelContext& context)) {
  return {.domain = "ai.onnx.preview.training",
          .name = name,
          .since = 1,
          .min_inputs = 3,
          .max_inputs = kVariadic,
          .max_outputs = kVariadic,
          .attributes = std::move(attributes),
          .infer = infer,
          .compute = compute};
}

}  // namespace inferd
