#include "tests/bench/bench_model.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "tests/bench/machine_peak.h"

namespace inferd::bench {
namespace {

constexpr double kPeakSeconds = 0.05;

// The model, read from a file that is gone afterwards.
absl::StatusOr<std::unique_ptr<Model>> CompileBytes(const std::string& bytes) {
  const std::string path = absl::StrCat(P_tmpdir, "/inferd_bench_", getpid(), ".onnx");
  std::ofstream(path, std::ios::binary) << bytes;
  absl::StatusOr<std::unique_ptr<Model>> model = Compile(path, EngineConfig());
  std::remove(path.c_str());
  return model;
}

Tensor MakeInput(const TensorInfo& info, int64_t integer_limit) {
  const Shape shape = info.type.shape.ToShape();
  Tensor tensor = Tensor::Allocate(info.type.dtype, shape).value();
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    if (info.type.dtype == DType::kFloat32) {
      tensor.mutable_data<float>()[i] = normal(random);
    } else {
      tensor.mutable_data<int64_t>()[i] = static_cast<int64_t>(random() % integer_limit);
    }
  }
  return tensor;
}

void Report(const ModelProfile& profile, double seconds_per_run, benchmark::State& state) {
  double flops = 0, bytes = 0;
  for (const StepProfile& step : profile.steps) {
    flops += step.flops;
    bytes += static_cast<double>(step.bytes);
  }
  const double gops = flops / seconds_per_run / 1e9;
  const double gigabytes = bytes / seconds_per_run / 1e9;
  if (gops > 0) {
    state.counters["Gop/s"] = gops;
    const double peak = MeasureFloatPeak(kPeakSeconds);
    if (peak > 0) state.counters["of_peak"] = gops / peak;
  }
  state.counters["GB/s"] = gigabytes;
  state.counters["of_copy"] = gigabytes / MeasureCopyPeak(kPeakSeconds);
}

absl::Status Run(const testing::ModelBuilder& builder, int64_t integer_limit,
                 benchmark::State& state) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, CompileBytes(builder.Bytes()));
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : model->inputs()) {
    inputs.push_back(MakeInput(info, integer_limit));
  }
  PrepareThread(1);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  RETURN_IF_ERROR(model->Run(slot, inputs, &outputs));
  // Wall time, as the peaks are: on a shared machine that slows both alike.
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) RETURN_IF_ERROR(model->Run(slot, inputs, &outputs));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  ModelProfile profile;
  RETURN_IF_ERROR(model->RunProfiled(slot, inputs, &profile));
  Report(profile, passed.count() / static_cast<double>(state.iterations()), state);
  return absl::OkStatus();
}

}  // namespace

void BenchModel(benchmark::State& state, const testing::ModelBuilder& model,
                int64_t integer_limit) {
  const absl::Status status = Run(model, integer_limit, state);
  if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
}

}  // namespace inferd::bench
