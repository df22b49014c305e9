// Bodies of inferences and of the generate extension as clients may send them. Whatever is taken
// must be a request whose tensors have the bytes that were charged, and its reply must be
// encodable.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/shape.h"
#include "server/rest/generate.h"
#include "server/rest/infer_body.h"
#include "server/rest/infer_reply.h"
#include "server/rpc/inflight_bytes.h"

namespace {

constexpr int64_t kMemory = 64 << 20;
constexpr int64_t kMaxReply = 1 << 20;

// The answer of a model that gives its inputs back.
inference::ModelInferResponse Echo(const inference::ModelInferRequest& request) {
  inference::ModelInferResponse response;
  response.set_id(request.id());
  *response.mutable_parameters() = request.parameters();
  for (int i = 0; i < request.raw_input_contents_size() && i < request.inputs_size(); ++i) {
    const auto& input = request.inputs(i);
    // What is wrong with these is found later, by whom decodes the message.
    const absl::Span<const int64_t> dims(input.shape().data(), input.shape_size());
    if (input.datatype() == "BYTES" || !inferd::Shape(dims).CheckedElements().ok()) continue;
    auto* output = response.add_outputs();
    output->set_name(input.name());
    output->set_datatype(input.datatype());
    *output->mutable_shape() = input.shape();
    response.add_raw_output_contents(request.raw_input_contents(i));
  }
  return response;
}

void CheckRequest(const inferd::RestInferRequest& request, const inferd::InflightCharge& charge) {
  int64_t bytes = 0;
  for (const std::string& raw : request.message.raw_input_contents()) {
    bytes += static_cast<int64_t>(raw.size());
  }
  if (bytes > charge.bytes()) std::abort();
  const inference::ModelInferResponse response = Echo(request.message);
  (void)inferd::EncodeInferReply(request, response, kMaxReply);
  (void)inferd::EncodeGenerateReply(response, true, kMaxReply);
}

inference::ModelMetadataResponse SomeModel() {
  inference::ModelMetadataResponse model;
  const struct {
    const char* name;
    const char* datatype;
    std::vector<int64_t> shape;
  } inputs[] = {{"x", "FP32", {-1, 16}}, {"t", "BYTES", {-1, 1}}, {"i", "INT8", {2, -1, -1}}};
  for (const auto& input : inputs) {
    auto* added = model.add_inputs();
    added->set_name(input.name);
    added->set_datatype(input.datatype);
    for (const int64_t dim : input.shape) added->add_shape(dim);
  }
  return model;
}

}  // namespace

// The first two bytes say how many bytes at the end are binary data; 0xffff: no header is sent.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t binary = data[0] | data[1] << 8;
  const absl::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string length;
  if (binary != 0xffff) length = absl::StrCat(static_cast<int64_t>(body.size() - binary));
  inferd::InflightBytes inflight(kMemory);
  {
    inferd::InflightCharge charge(&inflight);
    inferd::RestInferRequest request;
    if (inferd::ReadInferBody(body, length, &charge, &request).ok()) CheckRequest(request, charge);
  }
  static const inference::ModelMetadataResponse& model =
      *new inference::ModelMetadataResponse(SomeModel());
  inferd::InflightCharge charge(&inflight);
  inferd::RestInferRequest request;
  if (inferd::ReadGenerateBody(body, model, &charge, &request).ok()) CheckRequest(request, charge);
  return 0;
}
