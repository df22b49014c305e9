#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd bench` to `app`: measures a model's latency and throughput in this process. Sets
// `exit_code` to 0 or 1 (failed); it must live until `app` has parsed.
void AddBenchCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
