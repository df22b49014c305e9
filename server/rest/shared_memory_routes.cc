#include "server/rest/shared_memory_routes.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"
#include "server/rest/json_value.h"
#include "server/rest/proto_json.h"
#include "server/rpc/shared_memory_calls.h"

namespace inferd {
namespace {

// The region that the path names; empty stands for all.
std::string RegionName(const HttpRequest& http) {
  return http.captures.empty() ? "" : http.captures[0];
}

// Of the system's memory or a device's.
template <typename Request, typename Response>
absl::StatusOr<std::string> Status(const RestSurroundings& shared, const HttpRequest& http) {
  Request request;
  request.set_name(RegionName(http));
  Response response;
  RETURN_IF_ERROR(ShowSharedMemory(shared.features.shared_memory, request, &response));
  std::string json = "[";
  for (const auto& [name, region] : response.regions()) {
    if (json.size() > 1) json.push_back(',');
    AppendProtoJson(region, &json);
  }
  json.push_back(']');
  return json;
}

template <typename Request>
absl::StatusOr<std::string> Unregister(const RestSurroundings& shared, const HttpRequest& http) {
  Request request;
  request.set_name(RegionName(http));
  RETURN_IF_ERROR(UnregisterSharedMemory(shared.features.shared_memory, request));
  return std::string();
}

// A member that is a number.
absl::Status ReadNumber(const JsonValue& body, absl::string_view name, bool required,
                        uint64_t* value) {
  ASSIGN_OR_RETURN(const JsonValue* given, body.Find(name));
  if (given == nullptr && !required) return absl::OkStatus();
  if (given != nullptr && given->GetUint64(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": expected a number, got ",
                                                 given == nullptr ? "none" : given->KindName()));
}

absl::StatusOr<JsonValue> ParseObject(const HttpRequest& http) {
  ASSIGN_OR_RETURN(JsonValue body, ParseJson(http.body));
  if (body.IsObject()) return body;
  return absl::InvalidArgumentError(
      absl::StrCat("the body: expected an object, got ", body.KindName()));
}

absl::StatusOr<std::string> RegisterSystem(const RestSurroundings& shared,
                                           const HttpRequest& http) {
  ASSIGN_OR_RETURN(const JsonValue body, ParseObject(http));
  inference::SystemSharedMemoryRegisterRequest request;
  request.set_name(RegionName(http));
  ASSIGN_OR_RETURN(const JsonValue* key, body.Find("key"));
  if (key == nullptr || !key->IsString()) {
    return absl::InvalidArgumentError("key: expected a string");
  }
  request.set_key(key->text);
  uint64_t offset = 0, byte_size = 0;
  RETURN_IF_ERROR(ReadNumber(body, "offset", false, &offset));
  RETURN_IF_ERROR(ReadNumber(body, "byte_size", true, &byte_size));
  request.set_offset(offset);
  request.set_byte_size(byte_size);
  RETURN_IF_ERROR(RegisterSharedMemory(shared.features.shared_memory, request));
  return std::string();
}

absl::StatusOr<std::string> RegisterCuda(const RestSurroundings& shared, const HttpRequest& http) {
  ASSIGN_OR_RETURN(const JsonValue body, ParseObject(http));
  inference::CudaSharedMemoryRegisterRequest request;
  request.set_name(RegionName(http));
  ASSIGN_OR_RETURN(const JsonValue* handle, body.Find("raw_handle"));
  const JsonValue* text = nullptr;
  if (handle != nullptr && handle->IsObject()) {
    ASSIGN_OR_RETURN(text, handle->Find("b64"));
  }
  if (text == nullptr || !text->IsString() ||
      !absl::Base64Unescape(text->text, request.mutable_raw_handle())) {
    return absl::InvalidArgumentError("raw_handle: expected {\"b64\": the handle as base64}");
  }
  uint64_t device = 0, byte_size = 0;
  RETURN_IF_ERROR(ReadNumber(body, "device_id", true, &device));
  RETURN_IF_ERROR(ReadNumber(body, "byte_size", true, &byte_size));
  request.set_device_id(static_cast<int64_t>(device));
  request.set_byte_size(byte_size);
  RETURN_IF_ERROR(RegisterSharedMemory(shared.features.shared_memory, request));
  return std::string();
}

}  // namespace

void AddSharedMemoryRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  using Answer = absl::StatusOr<std::string> (*)(const RestSurroundings&, const HttpRequest&);
  const auto add = [&](const char* method, const std::string& path, Answer answer) {
    routes->Add(ApiCategory::kSharedMemory, method, path,
                JsonHandler(shared.state, [&shared, answer](const HttpRequest& http) {
                  return answer(shared, http);
                }));
  };
  const std::string system = "/v2/systemsharedmemory", cuda = "/v2/cudasharedmemory";
  for (const std::string region : {"", "/region/*"}) {
    add("GET", system + region + "/status",
        Status<inference::SystemSharedMemoryStatusRequest,
               inference::SystemSharedMemoryStatusResponse>);
    add("GET", cuda + region + "/status",
        Status<inference::CudaSharedMemoryStatusRequest,
               inference::CudaSharedMemoryStatusResponse>);
    add("POST", system + region + "/unregister",
        Unregister<inference::SystemSharedMemoryUnregisterRequest>);
    add("POST", cuda + region + "/unregister",
        Unregister<inference::CudaSharedMemoryUnregisterRequest>);
  }
  add("POST", system + "/region/*/register", RegisterSystem);
  add("POST", cuda + "/region/*/register", RegisterCuda);
}

}  // namespace inferd
