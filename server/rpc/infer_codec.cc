#include "server/rpc/infer_codec.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "server/model/tensor_types.h"
#include "server/rpc/byte_source.h"
#include "server/rpc/infer_parameters.h"
#include "server/rpc/tensor_codec.h"
#include "server/rpc/typed_contents.h"

namespace inferd {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

// A client's name in a message, cut to a length that a log line bears.
std::string Quoted(absl::string_view name) {
  return absl::StrCat("'", name.substr(0, 128), name.size() > 128 ? "..." : "", "'");
}

std::string Names(const std::vector<TensorInfo>& tensors) {
  return absl::StrJoin(tensors, ", ", [](std::string* out, const TensorInfo& tensor) {
    absl::StrAppend(out, "'", tensor.name, "'");
  });
}

// Raw data comes for every input or for none.
absl::Status CheckRawCount(const ModelInferRequest& request) {
  const int raw_count = request.raw_input_contents_size();
  if (raw_count == 0) return absl::OkStatus();
  for (const auto& input : request.inputs()) {
    if (input.has_contents() && !IsEmpty(input.contents())) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", Quoted(input.name()),
                       " has contents although the request has raw_input_contents"));
    }
  }
  if (raw_count == request.inputs_size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected one entry in raw_input_contents for each of ", request.inputs_size(),
                   " inputs, got ", raw_count));
}

absl::StatusOr<Tensor> DecodeInput(const ModelInferRequest& request, int index,
                                   InflightCharge* charge) {
  const auto& input = request.inputs(index);
  RETURN_IF_ERROR(CheckTensorParameters(input.parameters()));
  WireTensor wire;
  wire.datatype = input.datatype();
  wire.shape = absl::MakeConstSpan(input.shape().data(), input.shape_size());
  std::optional<StringSource> raw;
  if (request.raw_input_contents_size() > 0) {
    raw.emplace(request.raw_input_contents(index));
    wire.raw = &*raw;
  } else if (input.has_contents()) {
    wire.contents = &input.contents();
  }
  return DecodeTensor(wire, charge);
}

absl::Status MissingInput(const std::vector<TensorInfo>& expected, const std::vector<bool>& seen) {
  std::vector<absl::string_view> missing;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!seen[i]) missing.push_back(expected[i].name);
  }
  return absl::InvalidArgumentError(absl::StrCat("missing input '", absl::StrJoin(missing, "', '"),
                                                 "': the model has ", expected.size(), " inputs"));
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> DecodeInputs(const ModelInferRequest& request,
                                                 const ServedModel& model, InflightCharge* charge) {
  RETURN_IF_ERROR(CheckRawCount(request));
  const std::vector<TensorInfo>& expected = model.inputs();
  std::vector<Tensor> inputs(expected.size());
  std::vector<bool> seen(expected.size(), false);
  for (int i = 0; i < request.inputs_size(); ++i) {
    const std::string& name = request.inputs(i).name();
    const int index = model.InputIndex(name);
    if (index < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown input ", Quoted(name), ", expected ", Names(expected)));
    }
    if (seen[index]) {
      return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(name), " is given twice"));
    }
    seen[index] = true;
    absl::StatusOr<Tensor> tensor = DecodeInput(request, i, charge);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("input ", Quoted(name)));
    if (tensor->dtype() != expected[index].type.dtype) {
      return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(name), ": expected datatype ",
                                                     ProtocolTypeName(expected[index].type.dtype),
                                                     ", got ", request.inputs(i).datatype()));
    }
    inputs[index] = *std::move(tensor);
  }
  if (request.inputs_size() < static_cast<int>(expected.size())) {
    return MissingInput(expected, seen);
  }
  return inputs;
}

absl::StatusOr<std::vector<int>> ReadRequestedOutputs(const ModelInferRequest& request,
                                                      const ServedModel& model) {
  std::vector<int> requested;
  if (request.outputs_size() == 0) {
    for (size_t i = 0; i < model.outputs().size(); ++i) requested.push_back(static_cast<int>(i));
    return requested;
  }
  std::vector<bool> seen(model.outputs().size(), false);
  for (const auto& output : request.outputs()) {
    const int index = model.OutputIndex(output.name());
    if (index < 0) {
      return absl::InvalidArgumentError(absl::StrCat("unknown output ", Quoted(output.name()),
                                                     ", expected ", Names(model.outputs())));
    }
    if (seen[index]) {
      return absl::InvalidArgumentError(
          absl::StrCat("output ", Quoted(output.name()), " is requested twice"));
    }
    seen[index] = true;
    RETURN_IF_ERROR(Annotate(CheckTensorParameters(output.parameters()),
                             absl::StrCat("output ", Quoted(output.name()))));
    requested.push_back(index);
  }
  return requested;
}

absl::Status EncodeOutputs(absl::Span<const Tensor> outputs, absl::Span<const int> requested,
                           const ServedModel& model, int64_t max_bytes,
                           ModelInferResponse* response) {
  int64_t bytes = 0;
  for (const int index : requested) bytes += EncodedBytes(outputs[index]);
  if (bytes > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the reply has ", bytes, " bytes of outputs, a message may have ", max_bytes));
  }
  for (const int index : requested) {
    const Tensor& tensor = outputs[index];
    const std::string& name = model.outputs()[index].name;
    auto* output = response->add_outputs();
    output->set_name(name);
    const absl::string_view datatype = ProtocolTypeName(tensor.dtype());
    output->set_datatype(datatype.data(), datatype.size());
    for (const int64_t dim : tensor.shape().dims()) output->add_shape(dim);
    RETURN_IF_ERROR(Annotate(EncodeTensor(tensor, response->add_raw_output_contents()),
                             absl::StrCat("output ", Quoted(name))));
  }
  return absl::OkStatus();
}

}  // namespace inferd
