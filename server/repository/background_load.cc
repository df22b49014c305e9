#include "server/repository/background_load.h"

#include <thread>

#include "engine/engine.h"
#include "server/model/low_priority.h"

namespace inferd {

void RunInBackground(int threads, absl::FunctionRef<void()> load) {
  std::thread thread([threads, load] {
    LowerPriority();
    PrepareThread(threads);
    load();
  });
  thread.join();
}

}  // namespace inferd
