#include "server/rest/generate.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/model/tensor_types.h"
#include "server/rest/fitted_shape.h"
#include "server/rest/json_tensor.h"
#include "server/rest/json_value.h"

namespace inferd {
namespace {

using Metadata = inference::ModelMetadataResponse::TensorMetadata;

// How many elements an array has, however it is nested.
class ElementCounter : public JsonElements {
 public:
  bool Bool(bool) override { return ++count_; }
  bool Number(absl::string_view) override { return ++count_; }
  bool String(absl::string_view) override { return ++count_; }
  bool Null() override { return ++count_; }
  bool StartArray() override { return true; }
  bool EndArray() override { return true; }
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;
};

absl::StatusOr<int64_t> CountElements(const JsonValue& value) {
  if (value.kind != JsonValue::Kind::kSpan) return 1;
  ElementCounter counter;
  if (ReadElements(value.span, &counter)) return counter.count();
  return absl::InvalidArgumentError("expected an array of elements, got objects in it");
}

class GenerateReader {
 public:
  GenerateReader(const inference::ModelMetadataResponse& model, InflightCharge* charge,
                 inference::ModelInferRequest* message)
      : model_(model), charge_(*charge), message_(*message) {}

  absl::Status Read(const JsonValue& object, bool outermost) {
    for (const auto& [name, value] : object.members) {
      const Metadata* input = FindInput(name);
      if (input != nullptr) {
        RETURN_IF_ERROR(
            Annotate(AddInput(*input, value), absl::StrCat("input '", input->name(), "'")));
      } else if (outermost && name == "parameters" && value.IsObject()) {
        RETURN_IF_ERROR(Read(value, false));
      } else if (outermost && name == "id" && value.IsString()) {
        message_.set_id(value.text);
      } else {
        RETURN_IF_ERROR(ReadParameter(name, value, &(*message_.mutable_parameters())[name]));
      }
    }
    return absl::OkStatus();
  }

 private:
  const Metadata* FindInput(absl::string_view name) const {
    for (const Metadata& input : model_.inputs()) {
      if (input.name() == name) return &input;
    }
    return nullptr;
  }

  absl::Status AddInput(const Metadata& tensor, const JsonValue& value) {
    ASSIGN_OR_RETURN(const int64_t elements, CountElements(value));
    ASSIGN_OR_RETURN(const std::vector<int64_t> shape, FitShape(tensor, elements));
    auto* input = message_.add_inputs();
    input->set_name(tensor.name());
    input->set_datatype(tensor.datatype());
    input->mutable_shape()->Add(shape.begin(), shape.end());
    const bool is_array = value.kind == JsonValue::Kind::kSpan;
    return DecodeJsonData(value, DTypeOfProtocolName(tensor.datatype()),
                          is_array ? absl::MakeConstSpan(shape) : absl::Span<const int64_t>(),
                          &charge_, message_.add_raw_input_contents());
  }

  const inference::ModelMetadataResponse& model_;
  InflightCharge& charge_;
  inference::ModelInferRequest& message_;
};

}  // namespace

absl::Status ReadGenerateBody(absl::string_view body, const inference::ModelMetadataResponse& model,
                              InflightCharge* charge, RestInferRequest* request) {
  constexpr int kParametersDepth = 2;
  ASSIGN_OR_RETURN(const JsonValue json, ParseJson(body, {}, [](int depth, absl::string_view) {
                     return depth <= kParametersDepth;
                   }));
  if (!json.IsObject()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the body: expected an object, got ", json.KindName()));
  }
  return GenerateReader(model, charge, &request->message).Read(json, true);
}

absl::StatusOr<HttpReply> EncodeGenerateReply(const inference::ModelInferResponse& response,
                                              bool as_event, int64_t max_bytes) {
  HttpReply reply;
  reply.content_type = as_event ? "text/event-stream; charset=utf-8" : "application/json";
  std::string& body = reply.body;
  if (as_event) body = "data: ";
  body.append("{\"model_name\":");
  AppendJsonString(response.model_name(), &body);
  body.append(",\"model_version\":");
  AppendJsonString(response.model_version(), &body);
  if (!response.id().empty()) {
    body.append(",\"id\":");
    AppendJsonString(response.id(), &body);
  }
  for (int i = 0; i < response.outputs_size(); ++i) {
    const auto& output = response.outputs(i);
    int64_t elements = 1;
    for (const int64_t dim : output.shape()) elements *= dim;
    body.push_back(',');
    AppendJsonString(output.name(), &body);
    body.push_back(':');
    const auto encode = elements == 1 ? EncodeJsonElement : EncodeJsonData;
    RETURN_IF_ERROR(Annotate(encode(response.raw_output_contents(i),
                                    DTypeOfProtocolName(output.datatype()), max_bytes, &body),
                             absl::StrCat("output '", output.name(), "'")));
  }
  body.append(as_event ? "}\n\n" : "}");
  return reply;
}

}  // namespace inferd
