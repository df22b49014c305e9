#include "server/rpc/call_access.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace inferd {
namespace {

constexpr char kAuthorization[] = "authorization";

absl::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

std::vector<absl::string_view> Properties(const grpc::AuthContext& context, const char* name) {
  std::vector<absl::string_view> values;
  for (const grpc::string_ref& value : context.FindPropertyValues(name)) {
    values.push_back(View(value));
  }
  return values;
}

}  // namespace

absl::Status CallAccess::CheckCaller(const grpc::CallbackServerContext& context,
                                     ApiCategory category) const {
  const absl::Status status = Decide(context, category);
  if (status.ok()) return status;
  const absl::string_view name = CategoryName(category);
  std::optional<AccessRecord> record =
      AccessLog::Begin(log, std::string(name.data(), name.size()).c_str(), 0, absl::Now());
  if (record) {
    record->peer = context.peer();
    log->End(status.code(), 0, *std::move(record));
  }
  return status;
}

absl::Status CallAccess::Decide(const grpc::CallbackServerContext& context,
                                ApiCategory category) const {
  CallerCredentials caller;
  caller.plaintext = plaintext;
  std::vector<absl::string_view> authorization;
  const auto [begin, end] = context.client_metadata().equal_range(kAuthorization);
  for (auto it = begin; it != end; ++it) authorization.push_back(View(it->second));
  caller.authorization = authorization;
  if (plaintext || !authorization.empty()) return control->Check(category, caller);

  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  const std::vector<absl::string_view> dns = Properties(*peer, GRPC_PEER_DNS_PROPERTY_NAME);
  const std::vector<absl::string_view> uris = Properties(*peer, GRPC_PEER_URI_PROPERTY_NAME);
  caller.dns = dns;
  caller.uris = uris;
  return control->Check(category, caller);
}

}  // namespace inferd
