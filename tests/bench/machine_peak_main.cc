// The machine's present peak as JSON: usage: machine_peak [--threads N] [--seconds S]
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/machine_peak.h"

int main(int argc, char** argv) {
  int threads = 1;
  double seconds = 0.2;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--threads") == 0) threads = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
  }
  if (threads < 1 || argc % 2 == 0) {
    std::fprintf(stderr, "usage: machine_peak [--threads N] [--seconds S]\n");
    return 2;
  }
  std::printf("%s\n", inferd::bench::MeasurePeak(seconds, threads).Json().c_str());
  return 0;
}
