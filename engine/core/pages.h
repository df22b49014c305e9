#pragma once

#include <cstdint>
#include <memory>

namespace inferd {

// Zeroed memory straight from the system, which takes pages only as they are written and gets them
// back when the last owner goes; malloc would keep large blocks for later. Null when there is none.
std::shared_ptr<void> AllocatePages(int64_t bytes);

}  // namespace inferd
