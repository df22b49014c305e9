#include "server/rpc/setting_calls.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

using Value = inference::LogSettingsRequest::SettingValue;

absl::Status WrongType(const std::string& key, const char* expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("log setting '", key, "': expected a ", expected, " value"));
}

absl::Status SetBool(const std::string& key, const Value& value, bool* setting) {
  if (value.parameter_choice_case() != Value::kBoolParam) return WrongType(key, "bool");
  *setting = value.bool_param();
  return absl::OkStatus();
}

absl::Status Change(const std::string& key, const Value& value, LogSettings* settings) {
  if (key == "log_info") return SetBool(key, value, &settings->info);
  if (key == "log_warning") return SetBool(key, value, &settings->warning);
  if (key == "log_error") return SetBool(key, value, &settings->error);
  if (key == "log_verbose_level") {
    if (value.parameter_choice_case() != Value::kUint32Param) return WrongType(key, "uint32");
    settings->verbose_level = value.uint32_param();
    return absl::OkStatus();
  }
  if (key == "log_format") {
    if (value.parameter_choice_case() != Value::kStringParam) return WrongType(key, "string");
    // The names that other servers have for lines of text with times as in ISO 8601.
    const std::string& format = value.string_param();
    settings->format = format == "default" || format == "ISO8601" ? "text" : format;
    return absl::OkStatus();
  }
  if (key == "log_file") {
    return absl::InvalidArgumentError(
        "log setting 'log_file' cannot be changed: the log goes to stderr");
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log setting '", key.substr(0, 300),
                   "' is not known; known: log_info, log_warning, log_error, log_verbose_level, "
                   "log_format"));
}

void ShowTraceSettings(const TraceSettings& settings, inference::TraceSettingResponse* response) {
  auto& shown = *response->mutable_settings();
  auto* level = shown["trace_level"].mutable_value();
  if (settings.timestamps) *level->Add() = "TIMESTAMPS";
  if (settings.tensors) *level->Add() = "TENSORS";
  if (!settings.enabled()) *level->Add() = "OFF";
  const auto show = [&](const char* key, const std::string& value) {
    *shown[key].mutable_value()->Add() = value;
  };
  show("trace_rate", absl::StrCat(settings.rate));
  show("trace_count", absl::StrCat(settings.count));
  show("log_frequency", absl::StrCat(settings.log_frequency));
  show("trace_file", "");
  show("trace_mode", "opentelemetry");
}

}  // namespace

absl::Status ChangeLogSettings(const inference::LogSettingsRequest& request,
                               inference::LogSettingsResponse* response) {
  LogSettings settings = GetLogSettings();
  for (const auto& [key, value] : request.settings()) {
    RETURN_IF_ERROR(Change(key, value, &settings));
  }
  if (!request.settings().empty()) RETURN_IF_ERROR(SetLogSettings(settings));
  auto& shown = *response->mutable_settings();
  shown["log_file"].set_string_param("");
  shown["log_info"].set_bool_param(settings.info);
  shown["log_warning"].set_bool_param(settings.warning);
  shown["log_error"].set_bool_param(settings.error);
  shown["log_verbose_level"].set_uint32_param(settings.verbose_level);
  shown["log_format"].set_string_param(settings.format);
  return absl::OkStatus();
}

absl::Status ChangeTraceSettings(Tracer* tracer, const inference::TraceSettingRequest& request,
                                 inference::TraceSettingResponse* response) {
  const std::string& model = request.model_name();
  if (!request.settings().empty()) {
    if (tracer == nullptr) {
      return absl::UnimplementedError(
          "traces have nowhere to go: the server was started without --otlp-endpoint");
    }
    TraceOverrides overrides = tracer->Overrides(model);
    for (const auto& [key, setting] : request.settings()) {
      const std::vector<std::string> values(setting.value().begin(), setting.value().end());
      RETURN_IF_ERROR(ChangeTraceSetting(key, values, &overrides));
    }
    tracer->SetOverrides(model, overrides);
  }
  ShowTraceSettings(tracer == nullptr ? TraceSettings() : tracer->Settings(model), response);
  return absl::OkStatus();
}

}  // namespace inferd
