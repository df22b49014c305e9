#include "server/access/access_control.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/security/small_file.h"

namespace inferd {
namespace {

// The files' texts.
struct Sources {
  std::string config;
  std::string tokens;

  std::string Together() const { return absl::StrCat(config.size(), "\n", config, tokens); }
};

absl::StatusOr<Sources> ReadSources(const std::string& path) {
  Sources sources;
  ASSIGN_OR_RETURN(sources.config, ReadSmallFile(path));
  absl::StatusOr<std::string> tokens = AccessRules::TokenFileOf(sources.config);
  if (!tokens.ok()) return Annotate(tokens.status(), path);
  if (tokens->empty()) return sources;
  if (!absl::StartsWith(*tokens, "/")) {
    *tokens = absl::StrCat(path.substr(0, path.rfind('/') + 1), *tokens);
  }
  ASSIGN_OR_RETURN(sources.tokens, ReadSmallFile(*tokens));
  return sources;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccessControl>> AccessControl::Start(const AccessOptions& options) {
  ASSIGN_OR_RETURN(const Sources sources, ReadSources(options.config_path));
  absl::StatusOr<AccessRules> rules = AccessRules::Parse(sources.config, sources.tokens);
  if (!rules.ok()) return Annotate(rules.status(), options.config_path);
  std::unique_ptr<AccessControl> control(
      new AccessControl(options, sources.Together(), *std::move(rules)));
  control->look_.emplace(options.reload_interval, [control = control.get()] { control->Look(); });
  return control;
}

AccessControl::AccessControl(const AccessOptions& options, std::string source, AccessRules rules)
    : options_(options),
      source_(std::move(source)),
      rules_(std::make_shared<AccessRules>(std::move(rules))) {}

absl::Status AccessControl::Check(ApiCategory category, const CallerCredentials& caller) const {
  std::shared_ptr<const AccessRules> rules;
  {
    MutexLock lock(&mutex_);
    rules = rules_;
  }
  return rules->Check(category, caller, options_.plaintext_tokens);
}

bool AccessControl::failing() const {
  MutexLock lock(&mutex_);
  return !error_.empty();
}

void AccessControl::Look() {
  const absl::StatusOr<Sources> sources = ReadSources(options_.config_path);
  const std::string source = sources.ok() ? sources->Together() : "";
  {
    MutexLock lock(&mutex_);
    if (sources.ok() && source == source_) {
      error_.clear();
      return;
    }
  }
  absl::StatusOr<AccessRules> rules =
      sources.ok() ? AccessRules::Parse(sources->config, sources->tokens) : sources.status();
  MutexLock lock(&mutex_);
  if (!rules.ok()) {
    if (error_ != rules.status().message()) {
      LogError(absl::StrCat("the access rules stay as they are: ", rules.status().message()));
    }
    error_ = std::string(rules.status().message());
    return;
  }
  error_.clear();
  source_ = source;
  rules_ = std::make_shared<AccessRules>(*std::move(rules));
  LogInfo("the access rules have changed");
}

}  // namespace inferd
