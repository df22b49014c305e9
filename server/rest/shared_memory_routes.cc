#include "server/rest/shared_memory_routes.h"

#include <string>

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

absl::StatusOr<std::string> Status(const RestSurroundings& shared, const HttpRequest& http) {
  inference::SystemSharedMemoryStatusRequest request;
  request.set_name(RegionName(http));
  inference::SystemSharedMemoryStatusResponse response;
  RETURN_IF_ERROR(ShowSharedMemory(shared.features.shared_memory, request, &response));
  std::string json = "[";
  for (const auto& [name, region] : response.regions()) {
    if (json.size() > 1) json.push_back(',');
    AppendProtoJson(region, &json);
  }
  json.push_back(']');
  return json;
}

// A member that is a number of bytes.
absl::Status ReadBytes(const JsonValue& body, absl::string_view name, bool required,
                       uint64_t* value) {
  ASSIGN_OR_RETURN(const JsonValue* given, body.Find(name));
  if (given == nullptr && !required) return absl::OkStatus();
  if (given != nullptr && given->GetUint64(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": expected a number of bytes, got ",
                                                 given == nullptr ? "none" : given->KindName()));
}

absl::StatusOr<std::string> Register(const RestSurroundings& shared, const HttpRequest& http) {
  ASSIGN_OR_RETURN(const JsonValue body, ParseJson(http.body));
  if (!body.IsObject()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the body: expected an object, got ", body.KindName()));
  }
  inference::SystemSharedMemoryRegisterRequest request;
  request.set_name(RegionName(http));
  ASSIGN_OR_RETURN(const JsonValue* key, body.Find("key"));
  if (key == nullptr || !key->IsString()) {
    return absl::InvalidArgumentError("key: expected a string");
  }
  request.set_key(key->text);
  uint64_t offset = 0, byte_size = 0;
  RETURN_IF_ERROR(ReadBytes(body, "offset", false, &offset));
  RETURN_IF_ERROR(ReadBytes(body, "byte_size", true, &byte_size));
  request.set_offset(offset);
  request.set_byte_size(byte_size);
  RETURN_IF_ERROR(RegisterSharedMemory(shared.features.shared_memory, request));
  return std::string();
}

absl::StatusOr<std::string> Unregister(const RestSurroundings& shared, const HttpRequest& http) {
  inference::SystemSharedMemoryUnregisterRequest request;
  request.set_name(RegionName(http));
  RETURN_IF_ERROR(UnregisterSharedMemory(shared.features.shared_memory, request));
  return std::string();
}

// There is no CUDA memory to share: an empty list, and nothing to register.
absl::StatusOr<std::string> CudaStatus(const HttpRequest&) { return std::string("[]"); }

absl::StatusOr<std::string> CudaRegister(const HttpRequest& http) {
  inference::CudaSharedMemoryRegisterRequest request;
  request.set_name(RegionName(http));
  RETURN_IF_ERROR(RegisterCudaSharedMemory(request));
  return std::string();
}

absl::StatusOr<std::string> CudaUnregister(const HttpRequest&) { return std::string(); }

}  // namespace

void AddSharedMemoryRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  const auto add = [&](const char* method, const std::string& path,
                       std::function<absl::StatusOr<std::string>(const HttpRequest&)> answer) {
    routes->Add(ApiCategory::kSharedMemory, method, path,
                JsonHandler(shared.state, std::move(answer)));
  };
  const auto status = [&shared](const HttpRequest& http) { return Status(shared, http); };
  const auto unregister = [&shared](const HttpRequest& http) { return Unregister(shared, http); };
  const std::string system = "/v2/systemsharedmemory", cuda = "/v2/cudasharedmemory";
  for (const std::string region : {"", "/region/*"}) {
    add("GET", system + region + "/status", status);
    add("POST", system + region + "/unregister", unregister);
    add("GET", cuda + region + "/status", CudaStatus);
    add("POST", cuda + region + "/unregister", CudaUnregister);
  }
  add("POST", system + "/region/*/register",
      [&shared](const HttpRequest& http) { return Register(shared, http); });
  add("POST", cuda + "/region/*/register", CudaRegister);
}

}  // namespace inferd
