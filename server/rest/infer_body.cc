#include "server/rest/infer_body.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/shape.h"
#include "engine/core/status_macros.h"
#include "server/model/tensor_types.h"
#include "server/rest/fitted_shape.h"
#include "server/rest/json_tensor.h"
#include "server/rpc/typed_contents.h"

namespace inferd {
namespace {

using inference::ModelInferRequest;
using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;

constexpr char kBinarySize[] = "binary_data_size";
constexpr char kBinaryData[] = "binary_data";
constexpr char kBinaryByDefault[] = "binary_data_output";
constexpr char kRegion[] = "shared_memory_region";
// inputs[i].data in the body.
constexpr int kTensorDepth = 3;
// A message's entry and its place in a list take more than its text.
constexpr int64_t kEntryBytes = 512;

absl::Status Expected(absl::string_view what, absl::string_view expected, const JsonValue& got) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": expected ", expected, ", got ", got.KindName()));
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat("'", name.substr(0, 128), name.size() > 128 ? "..." : "", "'");
}

// The member `name` as text; empty where there is none.
absl::StatusOr<std::string> TextMember(const JsonValue& object, absl::string_view name) {
  ASSIGN_OR_RETURN(const JsonValue* value, object.Find(name));
  if (value == nullptr) return std::string();
  if (!value->IsString()) return Expected(name, "a string", *value);
  return value->text;
}

// The member `name` as a list of objects; null where there is none.
absl::StatusOr<const JsonValue*> ListMember(const JsonValue& object, absl::string_view name) {
  ASSIGN_OR_RETURN(const JsonValue* value, object.Find(name));
  if (value == nullptr) return value;
  if (value->kind != JsonValue::Kind::kArray) return Expected(name, "an array", *value);
  for (const JsonValue& item : value->items) {
    if (!item.IsObject()) return Expected(absl::StrCat(name, "[]"), "an object", item);
  }
  return value;
}

// The parameters of `object`, without `ours`, whose value goes there.
absl::Status ReadParameters(const JsonValue& object, absl::string_view ours,
                            std::optional<JsonValue>* our_value, Parameters* parameters) {
  ASSIGN_OR_RETURN(const JsonValue* values, object.Find("parameters"));
  if (values == nullptr) return absl::OkStatus();
  if (!values->IsObject()) return Expected("parameters", "an object", *values);
  for (const auto& [name, value] : values->members) {
    if (name == ours) {
      *our_value = value;
    } else {
      RETURN_IF_ERROR(ReadParameter(name, value, &(*parameters)[name]));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadBool(absl::string_view name, const std::optional<JsonValue>& value,
                              bool otherwise) {
  if (!value) return otherwise;
  if (value->kind != JsonValue::Kind::kBool) {
    return Expected(absl::StrCat("parameter '", name, "'"), "true or false", *value);
  }
  return value->boolean;
}

absl::Status ReadShape(const JsonValue& object, ModelInferRequest::InferInputTensor* input) {
  ASSIGN_OR_RETURN(const JsonValue* shape, object.Find("shape"));
  if (shape == nullptr) return absl::InvalidArgumentError("shape is missing");
  if (shape->kind != JsonValue::Kind::kArray) return Expected("shape", "an array", *shape);
  for (const JsonValue& dim : shape->items) {
    int64_t value;
    if (!dim.GetInt64(&value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape: expected whole numbers, got ",
                       dim.text.empty() ? dim.KindName() : dim.text.substr(0, 32)));
    }
    input->add_shape(value);
  }
  return absl::OkStatus();
}

// Reads the inputs and takes their binary data off `binary`.
class InputReader {
 public:
  InputReader(absl::string_view binary, InflightCharge* charge, ModelInferRequest* message)
      : binary_(binary), charge_(*charge), message_(*message) {}

  absl::Status Read(const JsonValue& object) {
    RETURN_IF_ERROR(charge_.Add(kEntryBytes));
    auto* input = message_.add_inputs();
    ASSIGN_OR_RETURN(*input->mutable_name(), TextMember(object, "name"));
    return Annotate(ReadNamed(object, input), absl::StrCat("input ", Quoted(input->name())));
  }

  // Call after the last input.
  absl::Status CheckAllTaken() const {
    if (binary_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        binary_.size(), " bytes of binary data are left after those that the inputs name"));
  }

 private:
  absl::Status ReadNamed(const JsonValue& object, ModelInferRequest::InferInputTensor* input) {
    ASSIGN_OR_RETURN(*input->mutable_datatype(), TextMember(object, "datatype"));
    RETURN_IF_ERROR(ReadShape(object, input));
    std::optional<JsonValue> binary_size;
    RETURN_IF_ERROR(ReadParameters(object, kBinarySize, &binary_size, input->mutable_parameters()));
    ASSIGN_OR_RETURN(const JsonValue* data, object.Find("data"));
    const bool elsewhere = input->parameters().contains(kRegion);
    if ((data != nullptr) + binary_size.has_value() + elsewhere > 1) {
      return absl::InvalidArgumentError(
          "expected one of data, binary_data_size and shared_memory_region, got several");
    }
    // Tensors in shared memory have no entry among the raw ones.
    if (elsewhere) return absl::OkStatus();
    std::string* raw = message_.add_raw_input_contents();
    if (binary_size) return TakeBinary(*binary_size, raw);
    if (data != nullptr) return ReadData(*data, *input, raw);
    return absl::InvalidArgumentError("expected data or the parameter binary_data_size, got none");
  }

  absl::Status TakeBinary(const JsonValue& size, std::string* raw) {
    uint64_t bytes;
    if (!size.GetUint64(&bytes)) {
      return Expected("parameter 'binary_data_size'", "a number of bytes", size);
    }
    if (bytes > binary_.size()) {
      return absl::InvalidArgumentError(absl::StrCat("expected ", bytes,
                                                     " bytes of binary data, got ", binary_.size(),
                                                     " behind the JSON and the inputs before"));
    }
    RETURN_IF_ERROR(charge_.Add(static_cast<int64_t>(bytes)));
    raw->assign(binary_.data(), bytes);
    binary_.remove_prefix(bytes);
    return absl::OkStatus();
  }

  absl::Status ReadData(const JsonValue& data, const ModelInferRequest::InferInputTensor& input,
                        std::string* raw) {
    const DType dtype = DTypeOfProtocolName(input.datatype());
    const absl::Span<const int64_t> dims(input.shape().data(), input.shape_size());
    // What is wrong with type or shape alone is found, and said, where all requests are decoded.
    if (dtype == DType::kInvalid || dims.size() > kMaxRank || !Shape(dims).CheckedElements().ok()) {
      return absl::OkStatus();
    }
    return DecodeJsonData(data, dtype, dims, &charge_, raw);
  }

  absl::string_view binary_;
  InflightCharge& charge_;
  ModelInferRequest& message_;
};

absl::Status ReadOutputs(const JsonValue& body, InflightCharge* charge, RestInferRequest* request) {
  ASSIGN_OR_RETURN(const JsonValue* outputs, ListMember(body, "outputs"));
  if (outputs == nullptr) return absl::OkStatus();
  for (const JsonValue& object : outputs->items) {
    RETURN_IF_ERROR(charge->Add(kEntryBytes));
    auto* output = request->message.add_outputs();
    ASSIGN_OR_RETURN(*output->mutable_name(), TextMember(object, "name"));
    const std::string what = absl::StrCat("output ", Quoted(output->name()));
    std::optional<JsonValue> value;
    RETURN_IF_ERROR(
        Annotate(ReadParameters(object, kBinaryData, &value, output->mutable_parameters()), what));
    absl::StatusOr<bool> binary = ReadBool(kBinaryData, value, request->binary_by_default);
    if (!binary.ok()) return Annotate(binary.status(), what);
    request->binary_outputs.push_back(*binary);
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> JsonLength(absl::string_view body, absl::string_view json_length) {
  if (json_length.empty()) return body.size();
  uint64_t length;
  if (!absl::SimpleAtoi(json_length, &length) || length > body.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Inference-Header-Content-Length: expected at most the ", body.size(),
                     " bytes of the body, got '", json_length.substr(0, 32), "'"));
  }
  return static_cast<size_t>(length);
}

}  // namespace

absl::Status ReadParameter(absl::string_view name, const JsonValue& value,
                           inference::InferParameter* parameter) {
  int64_t number;
  uint64_t large;
  double real;
  if (value.kind == JsonValue::Kind::kBool) {
    parameter->set_bool_param(value.boolean);
  } else if (value.IsString()) {
    parameter->set_string_param(value.text);
  } else if (value.GetInt64(&number)) {
    parameter->set_int64_param(number);
  } else if (value.GetUint64(&large)) {
    parameter->set_uint64_param(large);
  } else if (value.GetDouble(&real)) {
    parameter->set_double_param(real);
  } else {
    return Expected(absl::StrCat("parameter ", Quoted(name)), "a string, a number, true or false",
                    value);
  }
  return absl::OkStatus();
}

absl::Status ReadRawBody(absl::string_view body, const inference::ModelMetadataResponse& model,
                         InflightCharge* charge, RestInferRequest* request) {
  if (model.inputs_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a body of data alone: expected a model of one input, it has ", model.inputs_size()));
  }
  const auto& tensor = model.inputs(0);
  const std::string what = absl::StrCat("input ", Quoted(tensor.name()));
  const DType dtype = DTypeOfProtocolName(tensor.datatype());
  const auto bytes = static_cast<int64_t>(body.size());
  const bool is_text = dtype == DType::kString;
  const int64_t element_bytes = is_text ? bytes : ElementBytes(dtype);
  if (!is_text && (element_bytes <= 0 || bytes % element_bytes != 0)) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": expected elements of ", element_bytes,
                                                   " bytes, got ", bytes, " bytes"));
  }
  absl::StatusOr<std::vector<int64_t>> shape =
      FitShape(tensor, is_text ? 1 : bytes / element_bytes);
  if (!shape.ok()) return Annotate(shape.status(), what);
  RETURN_IF_ERROR(charge->Add(bytes + kEntryBytes));
  auto* input = request->message.add_inputs();
  input->set_name(tensor.name());
  input->set_datatype(tensor.datatype());
  input->mutable_shape()->Add(shape->begin(), shape->end());
  std::string* raw = request->message.add_raw_input_contents();
  if (is_text) {
    AppendTextElement(body, raw);
  } else {
    raw->assign(body.data(), body.size());
  }
  request->binary_by_default = true;
  return absl::OkStatus();
}

absl::Status ReadInferBody(absl::string_view body, absl::string_view json_length,
                           InflightCharge* charge, RestInferRequest* request) {
  ASSIGN_OR_RETURN(const size_t length, JsonLength(body, json_length));
  ASSIGN_OR_RETURN(const JsonValue json,
                   ParseJson(body.substr(0, length), {}, [](int depth, absl::string_view name) {
                     return depth == kTensorDepth && name == "data";
                   }));
  if (!json.IsObject()) return Expected("the body", "an object", json);
  ModelInferRequest& message = request->message;
  ASSIGN_OR_RETURN(*message.mutable_id(), TextMember(json, "id"));
  std::optional<JsonValue> by_default;
  RETURN_IF_ERROR(
      ReadParameters(json, kBinaryByDefault, &by_default, message.mutable_parameters()));
  ASSIGN_OR_RETURN(request->binary_by_default, ReadBool(kBinaryByDefault, by_default, false));
  RETURN_IF_ERROR(ReadOutputs(json, charge, request));
  ASSIGN_OR_RETURN(const JsonValue* inputs, ListMember(json, "inputs"));
  InputReader reader(body.substr(length), charge, &message);
  if (inputs != nullptr) {
    for (const JsonValue& input : inputs->items) RETURN_IF_ERROR(reader.Read(input));
  }
  return reader.CheckAllTaken();
}

}  // namespace inferd
