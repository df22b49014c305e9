#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>

#include "engine/engine.h"
#include "server/commands/bench.h"
#include "server/commands/doctor.h"
#include "server/commands/inspect.h"
#include "server/commands/run.h"
#include "server/commands/serve.h"
#include "server/commands/test.h"

namespace {

constexpr int kBadUsage = 2;

// Idle OpenMP threads must stop spinning soon. libgomp reads this before main, so the process
// starts itself once more; where that fails, it only spins longer.
void LimitSpinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 0);
  execv("/proc/self/exe", argv);
}

}  // namespace

int main(int argc, char** argv) {
  LimitSpinning(argv);

  CLI::App app("inferd: serves ONNX models with its own engine", "inferd");
  const absl::string_view build = inferd::EngineBuildId();
  app.set_version_flag("--version", "inferd " + std::string(build.data(), build.size()));
  app.require_subcommand(1);

  int exit_code = 0;
  inferd::AddServeCommand(app, &exit_code);
  inferd::AddRunCommand(app, &exit_code);
  inferd::AddBenchCommand(app, &exit_code);
  inferd::AddTestCommand(app, &exit_code);
  inferd::AddInspectCommand(app, &exit_code);
  inferd::AddDoctorCommand(app, &exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadUsage;
  }
  return exit_code;
}
