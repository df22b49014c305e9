// One operator of the registry with random attributes and inputs, on both CPU providers: it may
// refuse, and must neither crash, hang nor take more memory than allowed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/support/random_node.h"

namespace {
// Sanitized code is several times slower than what users run.
constexpr double kMaxCpuSeconds = 5;
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto model = inferd::testing::MakeRandomNode({data, size});
  const absl::Status status = inferd::testing::CheckRandomNode(model, kMaxCpuSeconds);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n%s\n", status.ToString().c_str(), model.Describe().c_str());
    std::abort();
  }
  return 0;
}
