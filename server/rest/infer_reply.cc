#include "server/rest/infer_reply.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "server/model/tensor_types.h"
#include "server/rest/json_tensor.h"
#include "server/rest/proto_json.h"

namespace inferd {
namespace {

using inference::ModelInferResponse;

void AppendMember(absl::string_view name, absl::string_view text, std::string* out) {
  if (out->back() != '{') out->push_back(',');
  AppendJsonString(name, out);
  out->push_back(':');
  AppendJsonString(text, out);
}

absl::Status AppendOutput(const ModelInferResponse& response, int index, bool binary,
                          int64_t max_bytes, std::string* out) {
  const ModelInferResponse::InferOutputTensor& output = response.outputs(index);
  const std::string& raw = response.raw_output_contents(index);
  out->push_back('{');
  AppendMember("name", output.name(), out);
  AppendMember("datatype", output.datatype(), out);
  absl::StrAppend(out, ",\"shape\":[", absl::StrJoin(output.shape(), ","), "]");
  auto parameters = output.parameters();
  const bool elsewhere = parameters.contains("shared_memory_region");
  // In shared memory it has none, but C++ clients ask each output that has parameters for its size.
  if (binary || elsewhere) {
    parameters["binary_data_size"].set_int64_param(static_cast<int64_t>(raw.size()));
  }
  if (!parameters.empty()) {
    out->append(",\"parameters\":");
    AppendParameters(parameters, out);
  }
  if (!binary && !elsewhere) {
    out->append(",\"data\":");
    RETURN_IF_ERROR(
        Annotate(EncodeJsonData(raw, DTypeOfProtocolName(output.datatype()), max_bytes, out),
                 absl::StrCat("output '", output.name(), "'")));
  }
  out->push_back('}');
  return absl::OkStatus();
}

}  // namespace

void AppendParameters(
    const google::protobuf::Map<std::string, inference::InferParameter>& parameters,
    std::string* out) {
  out->push_back('{');
  for (const auto& [name, value] : parameters) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(name, out);
    out->push_back(':');
    AppendProtoJson(value, out);
  }
  out->push_back('}');
}

absl::StatusOr<HttpReply> EncodeInferReply(const RestInferRequest& request,
                                           const ModelInferResponse& response, int64_t max_bytes) {
  HttpReply reply;
  reply.content_type = "application/json";
  std::string& body = reply.body;
  body.push_back('{');
  if (!response.id().empty()) AppendMember("id", response.id(), &body);
  AppendMember("model_name", response.model_name(), &body);
  AppendMember("model_version", response.model_version(), &body);
  if (!response.parameters().empty()) {
    body.append(",\"parameters\":");
    AppendParameters(response.parameters(), &body);
  }
  body.append(",\"outputs\":[");
  bool any_binary = false;
  for (int i = 0; i < response.outputs_size(); ++i) {
    if (i > 0) body.push_back(',');
    RETURN_IF_ERROR(AppendOutput(response, i, request.IsBinary(i), max_bytes, &body));
    any_binary |= request.IsBinary(i);
  }
  body.append("]}");
  if (!any_binary) return reply;
  reply.headers.emplace_back("Inference-Header-Content-Length", absl::StrCat(body.size()));
  reply.content_type = "application/octet-stream";
  size_t bytes = body.size();
  for (const std::string& raw : response.raw_output_contents()) bytes += raw.size();
  body.reserve(bytes);
  for (int i = 0; i < response.outputs_size(); ++i) {
    if (request.IsBinary(i)) body.append(response.raw_output_contents(i));
  }
  return reply;
}

}  // namespace inferd
