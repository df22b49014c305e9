// How long a plan for a new shape takes: usage: bind_times MODEL [LENGTH=128]
// Loads the model, then binds batches of 1 to 6 rows (other free dimensions LENGTH) and prints each
// time. The first includes the packing of weights, the later ones find them packed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/engine.h"

namespace inferd {
namespace {

double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

std::vector<Shape> ShapesFor(const Model& model, int64_t batch, int64_t length) {
  std::vector<Shape> shapes;
  for (const TensorInfo& info : model.inputs()) {
    Shape shape;
    for (int d = 0; d < info.type.shape.rank(); ++d) {
      const Dim& dim = info.type.shape[d];
      shape.push_back(dim.known() ? dim.value : d == 0 ? batch : length);
    }
    shapes.push_back(shape);
  }
  return shapes;
}

int Main(const char* path, int64_t length) {
  const auto start = std::chrono::steady_clock::now();
  const auto model = Compile(path, EngineConfig());
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str());
    return 1;
  }
  std::printf("compile %.1f ms; bind", MillisecondsSince(start));
  for (int64_t batch = 1; batch <= 6; ++batch) {
    const auto before = std::chrono::steady_clock::now();
    if (absl::Status status = (*model)->Prepare(ShapesFor(**model, batch, length)); !status.ok()) {
      std::fprintf(stderr, "\nbatch %d: %s\n", static_cast<int>(batch),
                   std::string(status.message()).c_str());
      return 1;
    }
    std::printf(" %.1f", MillisecondsSince(before));
  }
  std::printf(" ms\n");
  return 0;
}

}  // namespace
}  // namespace inferd

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: bind_times MODEL [LENGTH]\n");
    return 2;
  }
  return inferd::Main(argv[1], argc > 2 ? std::atoll(argv[2]) : 128);
}
