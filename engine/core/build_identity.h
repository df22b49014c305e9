#pragma once

#include <string>

namespace inferd {

// Tells the machine code of the engine and of oneDNN from other builds of them, and this processor
// from others with other instructions.
std::string BuildIdentity();
std::string ProcessorIdentity();

}  // namespace inferd
