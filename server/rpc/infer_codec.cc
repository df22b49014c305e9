#include "server/rpc/infer_codec.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "server/model/tensor_types.h"
#include "server/rpc/byte_source.h"
#include "server/rpc/classification.h"
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

bool IsInSharedMemory(const ModelInferRequest::InferInputTensor& input) {
  return !input.parameters().empty() && input.parameters().contains("shared_memory_region");
}

// Raw data comes for none of the inputs, or for every one that is not in shared memory.
absl::Status CheckRawCount(const ModelInferRequest& request) {
  int in_message = 0;
  for (const auto& input : request.inputs()) {
    const bool shared = IsInSharedMemory(input);
    if (!shared) ++in_message;
    const bool has_contents = input.has_contents() && !IsEmpty(input.contents());
    if (!has_contents || (!shared && request.raw_input_contents_size() == 0)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input ", Quoted(input.name()), " has contents although ",
                     shared ? "it is in shared memory" : "the request has raw_input_contents"));
  }
  const int raw_count = request.raw_input_contents_size();
  if (raw_count == 0 || raw_count == in_message) return absl::OkStatus();
  const char* kind =
      in_message == request.inputs_size() ? " inputs" : " inputs not in shared memory";
  return absl::InvalidArgumentError(
      absl::StrCat("expected one entry in raw_input_contents for each of ", in_message, kind,
                   ", got ", raw_count));
}

absl::StatusOr<SharedMemoryRange> FindRange(const TensorParameters& parameters,
                                            const SharedMemoryRegions* regions) {
  if (regions == nullptr) {
    return absl::UnimplementedError(
        "shared memory is off: the server was started without --shared-memory");
  }
  SharedMemoryRange range{nullptr, parameters.region_offset, parameters.region_bytes};
  ASSIGN_OR_RETURN(range.region, regions->Find(parameters.region));
  RETURN_IF_ERROR(range.region->CheckRange(range.offset, range.byte_size));
  return range;
}

// `raw_index` counts the entries of raw data taken so far.
absl::StatusOr<Tensor> DecodeInput(const ModelInferRequest& request, int index,
                                   const SharedMemoryRegions* regions, int* raw_index,
                                   InflightCharge* charge) {
  const auto& input = request.inputs(index);
  WireTensor wire;
  wire.datatype = input.datatype();
  wire.shape = absl::MakeConstSpan(input.shape().data(), input.shape_size());
  ASSIGN_OR_RETURN(const TensorParameters parameters, ReadTensorParameters(input.parameters()));
  if (!parameters.region.empty()) {
    ASSIGN_OR_RETURN(const SharedMemoryRange range, FindRange(parameters, regions));
    const SharedMemorySource shared(range);
    wire.raw = &shared;
    return DecodeTensor(wire, charge);
  }
  std::optional<StringSource> raw;
  if (request.raw_input_contents_size() > 0) {
    raw.emplace(request.raw_input_contents((*raw_index)++));
    wire.raw = &*raw;
  } else if (input.has_contents()) {
    wire.contents = &input.contents();
  }
  return DecodeTensor(wire, charge);
}

absl::StatusOr<RequestedOutput> ReadRequestedOutput(
    const ModelInferRequest::InferRequestedOutputTensor& output, int index, DType dtype,
    const SharedMemoryRegions* regions) {
  RequestedOutput wanted{index};
  ASSIGN_OR_RETURN(const TensorParameters parameters, ReadTensorParameters(output.parameters()));
  wanted.classes = parameters.classes;
  if (wanted.classes > 0 && !IsClassifiable(dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter 'classification': expected an output of numbers, got ",
                     ProtocolTypeName(dtype)));
  }
  if (parameters.region.empty()) return wanted;
  ASSIGN_OR_RETURN(wanted.range, FindRange(parameters, regions));
  return wanted;
}

// The classes that are asked for, by their place in `requested`; empty where there are none.
absl::StatusOr<std::vector<Tensor>> ClassifyOutputs(absl::Span<const Tensor> outputs,
                                                    absl::Span<const RequestedOutput> requested,
                                                    const ServedModel& model) {
  std::vector<Tensor> classes;
  for (size_t i = 0; i < requested.size(); ++i) {
    const RequestedOutput& wanted = requested[i];
    if (wanted.classes == 0) continue;
    classes.resize(requested.size());
    ASSIGN_OR_RETURN(classes[i], Classify(outputs[wanted.index], wanted.classes,
                                          model.max_batch_size() > 0, model.labels(wanted.index)));
  }
  return classes;
}

// Writes the elements to shared memory and says in `output` where they are.
absl::Status WriteToRange(const Tensor& tensor, const SharedMemoryRange& range,
                          ModelInferResponse::InferOutputTensor* output) {
  const int64_t bytes = EncodedBytes(tensor);
  if (bytes > range.byte_size) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", bytes, " bytes, the request gives ",
                                                   range.byte_size, " bytes of shared memory"));
  }
  if (tensor.dtype() == DType::kString) {
    std::string text;
    RETURN_IF_ERROR(EncodeTensor(tensor, &text));
    RETURN_IF_ERROR(range.region->Write(range.offset, text));
  } else if (bytes > 0) {
    const auto* elements = static_cast<const char*>(tensor.raw());
    RETURN_IF_ERROR(range.region->Write(range.offset, {elements, static_cast<size_t>(bytes)}));
  }
  auto& parameters = *output->mutable_parameters();
  parameters["shared_memory_region"].set_string_param(range.region->name());
  parameters["shared_memory_byte_size"].set_int64_param(bytes);
  if (range.offset > 0) parameters["shared_memory_offset"].set_int64_param(range.offset);
  return absl::OkStatus();
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
                                                 const ServedModel& model,
                                                 const SharedMemoryRegions* regions,
                                                 InflightCharge* charge) {
  RETURN_IF_ERROR(CheckRawCount(request));
  int raw_index = 0;
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
    absl::StatusOr<Tensor> tensor = DecodeInput(request, i, regions, &raw_index, charge);
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

absl::StatusOr<std::vector<RequestedOutput>> ReadRequestedOutputs(
    const ModelInferRequest& request, const ServedModel& model,
    const SharedMemoryRegions* regions) {
  std::vector<RequestedOutput> requested;
  if (request.outputs_size() == 0) {
    for (size_t i = 0; i < model.outputs().size(); ++i) requested.push_back({static_cast<int>(i)});
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
    absl::StatusOr<RequestedOutput> read =
        ReadRequestedOutput(output, index, model.outputs()[index].type.dtype, regions);
    if (!read.ok()) return Annotate(read.status(), absl::StrCat("output ", Quoted(output.name())));
    requested.push_back(*std::move(read));
  }
  return requested;
}

absl::Status EncodeOutputs(absl::Span<const Tensor> outputs,
                           absl::Span<const RequestedOutput> requested, const ServedModel& model,
                           int64_t max_bytes, ModelInferResponse* response) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> classes, ClassifyOutputs(outputs, requested, model));
  const auto tensor_of = [&](size_t i) -> const Tensor& {
    return requested[i].classes > 0 ? classes[i] : outputs[requested[i].index];
  };
  int64_t bytes = 0;
  for (size_t i = 0; i < requested.size(); ++i) {
    if (requested[i].range.region == nullptr) bytes += EncodedBytes(tensor_of(i));
  }
  if (bytes > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the reply has ", bytes, " bytes of outputs, a message may have ", max_bytes));
  }
  for (size_t i = 0; i < requested.size(); ++i) {
    const RequestedOutput& wanted = requested[i];
    const Tensor& tensor = tensor_of(i);
    const std::string& name = model.outputs()[wanted.index].name;
    auto* output = response->add_outputs();
    output->set_name(name);
    const absl::string_view datatype = ProtocolTypeName(tensor.dtype());
    output->set_datatype(datatype.data(), datatype.size());
    for (const int64_t dim : tensor.shape().dims()) output->add_shape(dim);
    // Every output has its entry, the empty one of an output in shared memory too: clients count.
    std::string* raw = response->add_raw_output_contents();
    const absl::Status status = wanted.range.region == nullptr
                                    ? EncodeTensor(tensor, raw)
                                    : WriteToRange(tensor, wanted.range, output);
    RETURN_IF_ERROR(Annotate(status, absl::StrCat("output ", Quoted(name))));
  }
  return absl::OkStatus();
}

}  // namespace inferd
