#include "engine/ops/custom/custom_op_host.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

// What the C interface leaves opaque.
struct InferdNode {
  const inferd::Attributes* attributes;
};

struct InferdShapeCall {
  inferd::InferContext* context;
  std::vector<bool> set;  // by output
  absl::Status status;
};

struct InferdRunCall {
  inferd::KernelContext* context;
  std::vector<inferd::Tensor*> outputs;  // null until asked for
  absl::Status status;
};

namespace inferd {
namespace {

// The first failure is the one to report.
template <typename Call>
int Fail(Call* call, absl::Status status) {
  if (call->status.ok()) call->status = std::move(status);
  return 0;
}

template <typename T>
const T* FindAttribute(const InferdNode* node, const char* name) {
  const Attributes::Value* value = name == nullptr ? nullptr : node->attributes->Find(name);
  return value == nullptr ? nullptr : std::get_if<T>(value);
}

template <typename T>
int ScalarAttribute(const InferdNode* node, const char* name, T* value) {
  const T* found = FindAttribute<T>(node, name);
  if (found != nullptr) *value = *found;
  return found != nullptr;
}

// Strings and lists: where they lie and how long they are.
template <typename Container, typename T>
int SpanAttribute(const InferdNode* node, const char* name, const T** values, size_t* count) {
  const Container* found = FindAttribute<Container>(node, name);
  if (found == nullptr) return 0;
  *values = found->data();
  *count = found->size();
  return 1;
}

int32_t NumInputTypes(const InferdShapeCall* call) { return call->context->num_inputs(); }

int InputType(InferdShapeCall* call, int32_t input, InferdTensorType* type) {
  const InferContext& context = *call->context;
  if (input < 0 || !context.has_input(input)) return 0;
  const ValueType& known = context.input_type(input);
  if (!known.is_tensor() || known.shape.rank() > INFERD_MAX_RANK) {
    return Fail(call, absl::InvalidArgumentError(
                          absl::StrCat("input ", input, ": expected a tensor of rank at most ",
                                       INFERD_MAX_RANK, ", got ", known.ToString())));
  }
  type->dtype = static_cast<InferdDType>(known.dtype);
  type->rank = known.shape.rank();
  for (int i = 0; i < type->rank; ++i) type->dims[i] = known.shape[i].value;
  return 1;
}

int SetOutputType(InferdShapeCall* call, int32_t output, const InferdTensorType* type) {
  if (output < 0 || output >= call->context->num_outputs()) return 0;
  if (!IsKnownDType(type->dtype) || type->rank < -1 || type->rank > INFERD_MAX_RANK) {
    return Fail(call,
                absl::InternalError(absl::StrCat("output ", output, ": element type ", type->dtype,
                                                 " or rank ", type->rank, " is not known")));
  }
  SymbolicShape shape;
  if (type->rank >= 0) {
    shape = SymbolicShape::OfRank(type->rank);
    for (int i = 0; i < type->rank; ++i) {
      if (type->dims[i] >= 0) shape[i] = Dim(type->dims[i]);
    }
  }
  call->context->SetOutput(output, static_cast<DType>(type->dtype), std::move(shape));
  call->set[output] = true;
  return 1;
}

absl::Status MessageOf(const char* message) {
  return absl::InvalidArgumentError(message == nullptr ? "no reason given" : message);
}

void FailShape(InferdShapeCall* call, const char* message) { Fail(call, MessageOf(message)); }

int32_t NumInputs(const InferdRunCall* call) { return call->context->num_inputs(); }

int Input(InferdRunCall* call, int32_t input, InferdTensor* tensor) {
  if (input < 0 || !call->context->has_input(input)) return 0;
  const Tensor& value = call->context->input(input);
  if (value.kind() != ValueKind::kTensor) {
    return Fail(call, absl::InvalidArgumentError(absl::StrCat(
                          "input ", input, ": expected a tensor, got ", value.TypeString())));
  }
  tensor->dtype = static_cast<InferdDType>(value.dtype());
  tensor->rank = value.rank();
  tensor->dims = value.shape().dims().data();
  tensor->data = value.dtype() == DType::kString ? nullptr : value.raw();
  tensor->num_elements = value.num_elements();
  return 1;
}

int NoSuchString(InferdRunCall* call, absl::string_view what, int32_t index, int64_t element) {
  return Fail(call, absl::InternalError(absl::StrCat(what, " ", index, " has no string ", element,
                                                     ": not a string tensor, or out of range")));
}

int InputString(InferdRunCall* call, int32_t input, int64_t element, const char** text,
                size_t* bytes) {
  InferdTensor tensor;
  if (!Input(call, input, &tensor) || tensor.dtype != INFERD_STRING || element < 0 ||
      element >= tensor.num_elements) {
    return NoSuchString(call, "input", input, element);
  }
  const std::string& value = call->context->input(input).data<std::string>()[element];
  *text = value.data();
  *bytes = value.size();
  return 1;
}

int WantsOutput(const InferdRunCall* call, int32_t output) {
  return output >= 0 && call->context->wants_output(output);
}

int Output(InferdRunCall* call, int32_t output, InferdDType dtype, int32_t rank,
           const int64_t* dims, void** data) {
  if (!WantsOutput(call, output) || !IsKnownDType(dtype) || rank < 0 || rank > INFERD_MAX_RANK) {
    return Fail(call,
                absl::InternalError(absl::StrCat("output ", output, " of element type ", dtype,
                                                 " and rank ", rank, " cannot be made")));
  }
  const Shape shape(absl::Span<const int64_t>(dims, rank));
  absl::StatusOr<Tensor*> tensor = call->context->Output(output, static_cast<DType>(dtype), shape);
  if (!tensor.ok()) return Fail(call, tensor.status());
  call->outputs[output] = *tensor;
  *data = dtype == INFERD_STRING ? nullptr : (*tensor)->mutable_raw();
  return 1;
}

int SetOutputString(InferdRunCall* call, int32_t output, int64_t element, const char* text,
                    size_t bytes) {
  const bool exists = output >= 0 && output < static_cast<int32_t>(call->outputs.size()) &&
                      call->outputs[output] != nullptr;
  if (!exists || call->outputs[output]->dtype() != DType::kString || element < 0 ||
      element >= call->outputs[output]->num_elements()) {
    return NoSuchString(call, "output", output, element);
  }
  call->outputs[output]->mutable_data<std::string>()[element].assign(text, bytes);
  return 1;
}

void FailRun(InferdRunCall* call, const char* message) { Fail(call, MessageOf(message)); }

constexpr InferdHost kHost = {
    ScalarAttribute<int64_t>,
    ScalarAttribute<float>,
    SpanAttribute<std::string, char>,
    SpanAttribute<std::vector<int64_t>, int64_t>,
    SpanAttribute<std::vector<float>, float>,
    NumInputTypes,
    InputType,
    SetOutputType,
    FailShape,
    NumInputs,
    Input,
    InputString,
    WantsOutput,
    Output,
    SetOutputString,
    FailRun,
};

}  // namespace

absl::Status InferCustomShapes(const InferdCustomOp& op, InferContext& context) {
  const InferdNode node{&context.attributes()};
  InferdShapeCall call{&context, std::vector<bool>(context.num_outputs()), absl::OkStatus()};
  const int code = op.infer_shapes(&kHost, &node, &call);
  if (!call.status.ok()) return call.status;
  if (code != 0) {
    return absl::InvalidArgumentError(absl::StrCat("its shape rule failed with code ", code));
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (context.wants_output(i) && !call.set[i]) {
      return absl::InternalError(absl::StrCat("its shape rule did not set the type of output ", i));
    }
  }
  return absl::OkStatus();
}

absl::Status RunCustomOp(const InferdCustomOp& op, KernelContext& context) {
  const InferdNode node{&context.attributes()};
  InferdRunCall call{&context, std::vector<Tensor*>(context.num_outputs()), absl::OkStatus()};
  const int code = op.run(&kHost, &node, &call);
  if (!call.status.ok()) return call.status;
  if (code != 0) return absl::InvalidArgumentError(absl::StrCat("it failed with code ", code));
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (context.wants_output(i) && call.outputs[i] == nullptr) {
      return absl::InternalError(absl::StrCat("it did not make output ", i));
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
