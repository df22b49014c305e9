#include "server/model/low_priority.h"

#include <sys/resource.h>

namespace inferd {
namespace {

// A tenth of a core that requests keep busy, and all of one that they leave idle. With less,
// requests would wait for long wherever such a thread holds a lock or the kernel's memory map.
constexpr int kNiceness = 10;

}  // namespace

void LowerPriority() {
  // On Linux of this thread alone. It fails where all of the process has less already.
  setpriority(PRIO_PROCESS, 0, kNiceness);
}

}  // namespace inferd
