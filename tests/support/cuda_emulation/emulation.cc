#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/support/cuda_emulation/cuda_runtime.h"

dim3 threadIdx;
dim3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace inferd::cuda_emulation {
namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr unsigned kWarp = 32;

// Counts who has come; the last one lets all go on.
struct Barrier {
  unsigned size = 0;
  unsigned arrived = 0;
  uint64_t passed = 0;
};

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
  dim3 index;
  bool done = false;
};

// One launch at a time: the indices are of the whole program.
std::recursive_mutex launching;
std::vector<std::unique_ptr<Fiber>> fibers;  // kept for the next launch
size_t running = 0;
ucontext_t scheduler;
const std::function<void()>* work = nullptr;
Barrier of_block;
std::vector<Barrier> of_warps;
std::vector<float> lanes;

void RunFiber() {
  (*work)();
  fibers[running]->done = true;
  swapcontext(&fibers[running]->context, &scheduler);
}

void Yield() {
  Fiber& fiber = *fibers[running];
  swapcontext(&fiber.context, &scheduler);
}

void Wait(Barrier& barrier) {
  const uint64_t before = barrier.passed;
  if (++barrier.arrived == barrier.size) {
    barrier.arrived = 0;
    ++barrier.passed;
    return;
  }
  while (barrier.passed == before) Yield();
}

void RunBlock(unsigned threads) {
  of_block = {threads};
  of_warps.clear();
  for (unsigned t = 0; t < threads; t += kWarp) of_warps.push_back({std::min(kWarp, threads - t)});
  lanes.assign(threads, 0);
  for (unsigned t = 0; t < threads; ++t) {
    if (t == fibers.size()) fibers.push_back(std::make_unique<Fiber>());
    Fiber& fiber = *fibers[t];
    fiber.index = dim3(t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y);
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, RunFiber, 0);
  }
  for (unsigned left = threads; left > 0;) {
    for (unsigned t = 0; t < threads; ++t) {
      if (fibers[t]->done) continue;
      running = t;
      threadIdx = fibers[t]->index;
      swapcontext(&scheduler, &fibers[t]->context);
      left -= fibers[t]->done;
    }
  }
}

}  // namespace

void RunGrid(const dim3& grid, const dim3& block, const std::function<void()>& body) {
  const std::lock_guard<std::recursive_mutex> lock(launching);
  work = &body;
  gridDim = grid;
  blockDim = block;
  for (unsigned b = 0; b < grid.x; ++b) {
    blockIdx = dim3(b);
    RunBlock(block.x * block.y * block.z);
  }
}

void WaitForBlock() { Wait(of_block); }
void WaitForWarp() { Wait(of_warps[running / kWarp]); }

float Exchange(float value, int lane_mask) {
  lanes[running] = value;
  WaitForWarp();
  const float other = lanes[running ^ static_cast<size_t>(lane_mask)];
  WaitForWarp();
  return other;
}

}  // namespace inferd::cuda_emulation
