#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd test` to `app`: runs ONNX-backend-style test folders and compares. Sets
// `exit_code` to 0 or 1 (failed); it must live until `app` has parsed.
void AddTestCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
