#pragma once

namespace CLI {
class App;
}

namespace inferd {

// Adds `inferd doctor` to `app`: looks at the machine and at what the daemon would be started with,
// and says what is wrong and what to do. Sets `exit_code` to 0, or to 1 where something fails; it
// must live until `app` has parsed.
void AddDoctorCommand(CLI::App& app, int* exit_code);

}  // namespace inferd
