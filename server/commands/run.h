#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd run` to `app`: runs a model once and prints or stores its outputs. Sets
// `exit_code` to 0 or 1 (failed); it must live until `app` has parsed.
void AddRunCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
