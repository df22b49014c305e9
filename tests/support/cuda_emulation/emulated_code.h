#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace inferd::cuda_emulation {

// A shared object as a kernel's code: unlike a GPU's, it does not tell its own size, which comes
// first. What begins otherwise is no code.
inline constexpr char kMagic[8] = {'e', 'm', 'u', 'l', 'a', 't', 'e', 'd'};

inline std::string WithSize(const std::string& object) {
  const uint64_t bytes = object.size();
  std::string code(kMagic, sizeof(kMagic));
  code.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
  return code + object;
}

}  // namespace inferd::cuda_emulation
