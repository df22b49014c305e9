#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd serve` to `app`: runs the daemon until SIGTERM or SIGINT and drains it. Sets
// `exit_code` to 0, 1 (failed) or 2 (bad usage); it must live until `app` has parsed.
void AddServeCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
