#include "server/rest/setting_routes.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"
#include "server/rest/json_value.h"
#include "server/rest/proto_json.h"
#include "server/rpc/setting_calls.h"

namespace inferd {
namespace {

absl::Status ReadSetting(const std::string& name, const JsonValue& value,
                         inference::LogSettingsRequest::SettingValue* setting) {
  uint64_t number;
  if (value.kind == JsonValue::Kind::kBool) {
    setting->set_bool_param(value.boolean);
  } else if (value.IsString()) {
    setting->set_string_param(value.text);
  } else if (value.GetUint64(&number) && number <= std::numeric_limits<uint32_t>::max()) {
    setting->set_uint32_param(static_cast<uint32_t>(number));
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "log setting '", name.substr(0, 300),
        "': expected a string, a whole number of 32 bits, true or false, got ", value.KindName()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> LogSettingsCall(const HttpRequest& http) {
  inference::LogSettingsRequest request;
  if (!http.body.empty()) {
    ASSIGN_OR_RETURN(const JsonValue body, ParseJson(http.body));
    if (!body.IsObject()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the body: expected an object, got ", body.KindName()));
    }
    for (const auto& [name, value] : body.members) {
      RETURN_IF_ERROR(ReadSetting(name, value, &(*request.mutable_settings())[name]));
    }
  }
  inference::LogSettingsResponse response;
  RETURN_IF_ERROR(ChangeLogSettings(request, &response));
  std::string json = "{";
  for (const auto& [name, value] : response.settings()) {
    absl::StrAppend(&json, json.size() > 1 ? ",\"" : "\"", name, "\":");
    AppendProtoJson(value, &json);
  }
  json.push_back('}');
  return json;
}

absl::Status ReadTraceSetting(const std::string& name, const JsonValue& value,
                              inference::TraceSettingRequest::SettingValue* setting) {
  // No value clears the setting.
  if (value.kind == JsonValue::Kind::kNull) return absl::OkStatus();
  const bool is_list = value.kind == JsonValue::Kind::kArray;
  for (const JsonValue& item : is_list ? value.items : std::vector<JsonValue>{value}) {
    if (!item.IsString() && item.kind != JsonValue::Kind::kNumber) {
      return absl::InvalidArgumentError(
          absl::StrCat("trace setting '", name.substr(0, 300),
                       "': expected a string, a list of strings or null, got ", item.KindName()));
    }
    setting->add_value(item.text);
  }
  return absl::OkStatus();
}

// The level is a list, as several can be set; the rest are strings.
std::string TraceSettingsJson(const inference::TraceSettingResponse& response) {
  std::string json = "{";
  for (const auto& [name, setting] : response.settings()) {
    if (json.size() > 1) json.push_back(',');
    AppendJsonString(name, &json);
    json.append(name == "trace_level" ? ":[" : ":");
    for (int i = 0; i < setting.value_size(); ++i) {
      if (i > 0) json.push_back(',');
      AppendJsonString(setting.value(i), &json);
    }
    if (name == "trace_level") json.push_back(']');
  }
  return json + "}";
}

absl::StatusOr<std::string> TraceSettingsCall(const RestSurroundings& shared,
                                              const HttpRequest& http) {
  inference::TraceSettingRequest request;
  if (!http.captures.empty()) {
    request.set_model_name(http.captures[0]);
    RETURN_IF_ERROR(shared.repository->Get(request.model_name(), "").status());
  }
  if (http.method == "POST" && !http.body.empty()) {
    ASSIGN_OR_RETURN(const JsonValue body, ParseJson(http.body));
    if (!body.IsObject()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the body: expected an object, got ", body.KindName()));
    }
    for (const auto& [name, value] : body.members) {
      RETURN_IF_ERROR(ReadTraceSetting(name, value, &(*request.mutable_settings())[name]));
    }
  }
  inference::TraceSettingResponse response;
  RETURN_IF_ERROR(ChangeTraceSettings(shared.features.tracer, request, &response));
  return TraceSettingsJson(response);
}

}  // namespace

void AddSettingRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const HttpRoutes::Handler change = JsonHandler(shared.state, LogSettingsCall);
  const HttpRoutes::Handler show =
      JsonHandler(shared.state, [](const HttpRequest&) { return LogSettingsCall(HttpRequest()); });
  routes->Add(ApiCategory::kLogging, "GET", "/v2/logging", show);
  routes->Add(ApiCategory::kLogging, "POST", "/v2/logging", change);
  const HttpRoutes::Handler trace = JsonHandler(
      shared.state, [&shared](const HttpRequest& http) { return TraceSettingsCall(shared, http); });
  for (const char* method : {"GET", "POST"}) {
    routes->Add(ApiCategory::kTrace, method, "/v2/trace/setting", trace);
    routes->Add(ApiCategory::kTrace, method, "/v2/models/*/trace/setting", trace);
  }
}

}  // namespace inferd
