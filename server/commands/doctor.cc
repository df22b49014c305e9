#include "server/commands/doctor.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "config/server_options.h"
#include "server/commands/finding.h"
#include "server/commands/machine_checks.h"
#include "server/commands/serving_checks.h"

namespace inferd {
namespace {

constexpr int kBadUsage = 2;

struct Flags {
  ServerOptions given;
  std::string config_path;
  bool json = false;
};

std::string JsonText(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<int>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

void PrintJson(const Findings& findings) {
  const std::string objects =
      absl::StrJoin(findings, ",\n ", [](std::string* out, const Finding& finding) {
        absl::StrAppend(out, "{\"check\": ", JsonText(finding.check), ", \"level\": \"",
                        LevelName(finding.level), "\", \"found\": ", JsonText(finding.found),
                        ", \"advice\": ", JsonText(finding.advice), "}");
      });
  std::printf("[%s]\n", objects.c_str());
}

void PrintLines(const Findings& findings) {
  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.check.size());
  for (const Finding& finding : findings) {
    const std::string advice = finding.advice.empty() ? "" : absl::StrCat(" -> ", finding.advice);
    std::printf("%-4s  %-*s  %s%s\n", std::string(LevelName(finding.level)).c_str(),
                static_cast<int>(width), finding.check.c_str(), finding.found.c_str(),
                advice.c_str());
  }
}

Findings CheckAll(const ServerOptions& options) {
  Findings findings = MachineChecks().All();
  findings.push_back(CheckPort("grpc", options.address, options.grpc_port));
  findings.push_back(CheckPort("http", options.address, options.http_port));
  findings.push_back(CheckPort("metrics", options.address, options.metrics_port));
  if (options.repository.paths.empty()) {
    findings.push_back({"model repository", Finding::Level::kOk, "none was named",
                        "--model-repository DIR has it looked at"});
  }
  for (const std::string& path : options.repository.paths) {
    for (Finding& finding : CheckRepository(path)) findings.push_back(std::move(finding));
  }
  findings.push_back(CheckCacheFolder(options.engine.cache_dir, options.engine.max_cache_bytes));
  return findings;
}

absl::Status ReadConfig(const std::string& path, ServerOptions* options) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("--config: cannot read '", path, "'"));
  std::stringstream text;
  text << file.rdbuf();
  return ApplyServerConfig(text.str(), options);
}

int Examine(const CLI::App& command, const Flags& flags) {
  ServerOptions options;
  if (!flags.config_path.empty()) {
    if (const absl::Status status = ReadConfig(flags.config_path, &options); !status.ok()) {
      std::fprintf(stderr, "inferd doctor: %s\n", std::string(status.message()).c_str());
      return kBadUsage;
    }
  }
  const auto take = [&](const char* flag, const auto& given, auto* option) {
    if (command.count(flag) > 0) *option = given;
  };
  const ServerOptions& given = flags.given;
  take("--model-repository", given.repository.paths, &options.repository.paths);
  take("--cache-dir", given.engine.cache_dir, &options.engine.cache_dir);
  take("--address", given.address, &options.address);
  take("--grpc-port", given.grpc_port, &options.grpc_port);
  take("--http-port", given.http_port, &options.http_port);
  take("--metrics-port", given.metrics_port, &options.metrics_port);
  const Findings findings = CheckAll(options);
  flags.json ? PrintJson(findings) : PrintLines(findings);
  const bool failed = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == Finding::Level::kFail;
  });
  return failed ? 1 : 0;
}

}  // namespace

void AddDoctorCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  ServerOptions& given = flags->given;
  CLI::App* command = app.add_subcommand(
      "doctor", "Look at the machine and at what the daemon would be started with");
  command
      ->add_option("--model-repository,--model-store", given.repository.paths,
                   "Folder with one folder a model; may be given again")
      ->allow_extra_args(false);
  command->add_option("--config", flags->config_path, "Server config file; flags win over it");
  command->add_option("--cache-dir", given.engine.cache_dir, "The daemon's cache folder");
  command->add_option("--address", given.address, "Address to listen on")->capture_default_str();
  const auto port = CLI::Range(0, 65535);
  command->add_option("--grpc-port", given.grpc_port)->capture_default_str()->check(port);
  command->add_option("--http-port", given.http_port)->capture_default_str()->check(port);
  command->add_option("--metrics-port", given.metrics_port)->capture_default_str()->check(port);
  command->add_flag("--json", flags->json, "Print one JSON list of objects");
  command->callback([command, flags, exit_code] { *exit_code = Examine(*command, *flags); });
}

}  // namespace inferd
