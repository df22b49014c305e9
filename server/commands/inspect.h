#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd inspect` to `app`: shows a model's graph, passes and plan. Sets
// `exit_code` to 0 or 1 (failed); it must live until `app` has parsed.
void AddInspectCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
