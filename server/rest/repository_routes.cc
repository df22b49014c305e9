#include "server/rest/repository_routes.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"
#include "server/rest/json_value.h"
#include "server/rest/proto_json.h"
#include "server/rpc/metadata_calls.h"
#include "server/rpc/repository_calls.h"

namespace inferd {
namespace {

using Parameters = google::protobuf::Map<std::string, inference::ModelRepositoryParameter>;

// The JSON object that a body is; an empty one for no body.
absl::StatusOr<JsonValue> ReadBody(const HttpRequest& http) {
  if (http.body.empty()) {
    JsonValue empty;
    empty.kind = JsonValue::Kind::kObject;
    return empty;
  }
  // Models may come as text: the body's own limit bounds it.
  JsonLimits limits;
  limits.max_text_bytes = std::numeric_limits<int64_t>::max();
  ASSIGN_OR_RETURN(JsonValue body, ParseJson(http.body, limits));
  if (body.IsObject()) return body;
  return absl::InvalidArgumentError(
      absl::StrCat("the body: expected an object, got ", body.KindName()));
}

absl::Status ReadParameter(const std::string& name, const JsonValue& value,
                           inference::ModelRepositoryParameter* parameter) {
  int64_t number;
  if (value.IsString() && absl::StartsWith(name, "file:")) {
    if (absl::Base64Unescape(value.text, parameter->mutable_bytes_param())) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("parameter '", name.substr(0, 300), "': expected base64"));
  }
  if (value.IsString()) {
    parameter->set_string_param(value.text);
  } else if (value.kind == JsonValue::Kind::kBool) {
    parameter->set_bool_param(value.boolean);
  } else if (value.GetInt64(&number)) {
    parameter->set_int64_param(number);
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "parameter '", name.substr(0, 300),
        "': expected a string, a whole number, true or false, got ", value.KindName()));
  }
  return absl::OkStatus();
}

absl::Status ReadParameters(const HttpRequest& http, Parameters* parameters) {
  ASSIGN_OR_RETURN(const JsonValue body, ReadBody(http));
  ASSIGN_OR_RETURN(const JsonValue* values, body.Find("parameters"));
  if (values == nullptr) return absl::OkStatus();
  if (!values->IsObject()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameters: expected an object, got ", values->KindName()));
  }
  for (const auto& [name, value] : values->members) {
    RETURN_IF_ERROR(ReadParameter(name, value, &(*parameters)[name]));
  }
  return absl::OkStatus();
}

// The last capture is the model, one before it a repository.
template <typename Request>
absl::StatusOr<Request> ReadModelRequest(const HttpRequest& http) {
  Request request;
  request.set_model_name(http.captures.back());
  if (http.captures.size() > 1) request.set_repository_name(http.captures[0]);
  RETURN_IF_ERROR(ReadParameters(http, request.mutable_parameters()));
  return request;
}

absl::StatusOr<std::string> Index(const RestSurroundings& shared, const HttpRequest& http) {
  inference::RepositoryIndexRequest request;
  if (!http.captures.empty()) request.set_repository_name(http.captures[0]);
  ASSIGN_OR_RETURN(const JsonValue body, ReadBody(http));
  ASSIGN_OR_RETURN(const JsonValue* ready, body.Find("ready"));
  if (ready != nullptr) {
    if (ready->kind != JsonValue::Kind::kBool) {
      return absl::InvalidArgumentError(
          absl::StrCat("ready: expected true or false, got ", ready->KindName()));
    }
    request.set_ready(ready->boolean);
  }
  inference::RepositoryIndexResponse response;
  RETURN_IF_ERROR(ShowRepositoryIndex(*shared.repository, request, &response));
  std::string json = "[";
  for (const auto& model : response.models()) {
    if (json.size() > 1) json.push_back(',');
    AppendProtoJson(model, &json);
  }
  json.push_back(']');
  return json;
}

// Answers when the change is done; counts as a call until the answer has left.
using Change = std::function<void(const HttpRequest& http, ModelRepository::Done done)>;

HttpRoutes::AsyncHandler ChangeHandler(const RestSurroundings& shared, Change change) {
  return [&shared, change = std::move(change)](std::shared_ptr<HttpCall> call) {
    std::shared_ptr<void> counted = EnterCall(shared.state);
    if (counted == nullptr) return call->Reply(RefusedReply());
    change(call->request(), [call, counted = std::move(counted)](const absl::Status& status) {
      HttpReply reply = status.ok() ? JsonReply("") : HttpError(status);
      reply.held = counted;
      call->Reply(std::move(reply));
    });
  };
}

void Load(const RestSurroundings& shared, const HttpRequest& http, ModelRepository::Done done) {
  auto request = ReadModelRequest<inference::RepositoryModelLoadRequest>(http);
  if (!request.ok()) return done(request.status());
  absl::StatusOr<ModelOverrides> overrides = ReadOverrides(*request);
  if (!overrides.ok()) return done(overrides.status());
  shared.repository->Load(request->model_name(), *std::move(overrides), std::move(done));
}

void Unload(const RestSurroundings& shared, const HttpRequest& http, ModelRepository::Done done) {
  const auto request = ReadModelRequest<inference::RepositoryModelUnloadRequest>(http);
  if (!request.ok()) return done(request.status());
  const absl::Status checked = CheckUnload(*request);
  if (!checked.ok()) return done(checked);
  shared.repository->Unload(request->model_name(), std::move(done));
}

}  // namespace

void AddRepositoryRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const HttpRoutes::Handler index =
      JsonHandler(shared.state, [&shared](const HttpRequest& http) { return Index(shared, http); });
  const HttpRoutes::AsyncHandler load =
      ChangeHandler(shared, [&shared](const HttpRequest& http, ModelRepository::Done done) {
        Load(shared, http, std::move(done));
      });
  const HttpRoutes::AsyncHandler unload =
      ChangeHandler(shared, [&shared](const HttpRequest& http, ModelRepository::Done done) {
        Unload(shared, http, std::move(done));
      });
  for (const std::string repository : {"/v2/repository", "/v2/repository/*"}) {
    routes->Add(ApiCategory::kModelRepository, "POST", repository + "/index", index);
    routes->AddAsync(ApiCategory::kModelRepository, "POST", repository + "/models/*/load", load);
    routes->AddAsync(ApiCategory::kModelRepository, "POST", repository + "/models/*/unload",
                     unload);
  }
}

}  // namespace inferd
