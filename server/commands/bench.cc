#include "server/commands/bench.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "config/precision.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/engine_flags.h"
#include "server/commands/latency_summary.h"
#include "server/commands/model_inputs.h"
#include "server/commands/profile_report.h"

namespace inferd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 3;
constexpr int kMinRuns = 5;
constexpr size_t kMaxRuns = 10'000'000;
constexpr size_t kMaxProfiledSteps = 1'000'000;  // over all runs: 16 bytes each

struct Flags {
  std::string model;
  InputArguments inputs;
  EngineFlags engine;
  double seconds = 5;
  bool json = false;
  bool profile = false;
  std::string trace;  // where the profile goes as a Chrome trace

  bool wants_profile() const { return profile || !trace.empty(); }
};

struct Result {
  double load_seconds = 0;  // reading, optimizing and the plan for these shapes
  double measured_seconds = 0;
  double cpu_seconds = 0;  // of all threads, in measured_seconds
  std::vector<double> latencies_ms;
  TuningReport tuning;
  std::string inputs;
  std::string precision;  // that it runs in
  ModelProfile profile;   // without runs unless it was asked for
};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// This program's peak: ru_maxrss would count what the parent had before it started us.
int64_t PeakRssBytes() {
  std::ifstream status("/proc/self/status");
  int64_t kib = 0;
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> kib;
  }
  return kib * 1024;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

absl::Status Measure(Model& model, CoreSlot& slot, const std::vector<Tensor>& inputs,
                     double seconds, Result* result) {
  std::vector<Tensor> outputs;
  for (int i = 0; i < kWarmUpRuns; ++i) RETURN_IF_ERROR(model.Run(slot, inputs, &outputs));
  std::vector<double>& latencies = result->latencies_ms;
  const double cpu_start = CpuSeconds();
  const Clock::time_point start = Clock::now();
  Clock::time_point before = start;
  while (latencies.size() < kMaxRuns) {
    RETURN_IF_ERROR(model.Run(slot, inputs, &outputs));
    const Clock::time_point after = Clock::now();
    latencies.push_back(std::chrono::duration<double, std::milli>(after - before).count());
    before = after;
    result->measured_seconds = std::chrono::duration<double>(after - start).count();
    if (result->measured_seconds >= seconds && latencies.size() >= kMinRuns) break;
  }
  result->cpu_seconds = CpuSeconds() - cpu_start;
  return absl::OkStatus();
}

absl::Status Profile(Model& model, CoreSlot& slot, const std::vector<Tensor>& inputs,
                     double seconds, ModelProfile* profile) {
  const Clock::time_point start = Clock::now();
  size_t steps = 0;
  do {
    RETURN_IF_ERROR(model.RunProfiled(slot, inputs, profile));
    steps += profile->steps.size() + 1;
  } while (profile->runs.size() < kMinRuns ||
           (SecondsSince(start) < seconds && steps < kMaxProfiledSteps));
  return absl::OkStatus();
}

absl::StatusOr<Result> Measure(const Flags& flags) {
  Result result;
  const Clock::time_point start = Clock::now();
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, CompileByFlags(flags.model, flags.engine));
  result.precision = std::string(NameOf(model->precision().precision));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(model->inputs(), flags.inputs));
  RETURN_IF_ERROR(model->CheckInputs(inputs));
  RETURN_IF_ERROR(model->Prepare(ShapesOf(inputs)));
  result.load_seconds = SecondsSince(start);
  for (size_t i = 0; i < inputs.size(); ++i) {
    absl::StrAppend(&result.inputs, i == 0 ? "" : " ", model->inputs()[i].name, "=",
                    inputs[i].TypeString());
  }
  CoreSlots slots(1, flags.engine.threads);
  ASSIGN_OR_RETURN(result.tuning, model->Tune(slots, nullptr));
  absl::Status status;
  slots.RunAndWait([&](CoreSlot& slot) {
    status = Measure(*model, slot, inputs, flags.seconds, &result);
    if (!status.ok() || !flags.wants_profile()) return;
    status = Profile(*model, slot, inputs, flags.seconds, &result.profile);
  });
  RETURN_IF_ERROR(status);
  KeepCache(*model);
  return result;
}

void PrintTable(const Flags& flags, const Result& result, const LatencySummary& latency) {
  const double per_second = result.latencies_ms.size() / result.measured_seconds;
  std::printf("model      %s\n", flags.model.c_str());
  std::printf("inputs     %s\n", result.inputs.c_str());
  std::printf("provider   %s, %s, %d thread%s\n", flags.engine.provider.c_str(),
              result.precision.c_str(), flags.engine.threads, flags.engine.threads == 1 ? "" : "s");
  std::printf("load       %.3f s\n", result.load_seconds);
  std::printf("tuning     %s\n", TuningSummary(result.tuning.steps, result.tuning.time).c_str());
  std::printf("runs       %zu in %.2f s, %.2f per second\n", result.latencies_ms.size(),
              result.measured_seconds, per_second);
  std::printf("latency    p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, mean %.3f ms\n", latency.p50,
              latency.p90, latency.p99, latency.mean);
  std::printf("cpu        %.3f s per 1,000 runs\n",
              1e3 * result.cpu_seconds / static_cast<double>(result.latencies_ms.size()));
  std::printf("peak rss   %.1f MiB\n", static_cast<double>(PeakRssBytes()) / (1 << 20));
  if (flags.profile) std::fputs(TuningTable(result.tuning.steps).c_str(), stdout);
  if (flags.profile) std::fputs(ProfileTable(result.profile).c_str(), stdout);
}

void PrintJson(const Flags& flags, const Result& result, const LatencySummary& latency) {
  std::printf(
      "{\"model\": %s, \"inputs\": %s, \"latency_ms\": {\"p50\": %.6f, \"p90\": %.6f, "
      "\"p99\": %.6f, \"mean\": %.6f}, \"throughput_per_second\": %.6f, \"runs\": %zu, "
      "\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"precision\": \"%s\", \"provider\": \"%s\", "
      "\"threads\": %d, "
      "\"peak_rss_bytes\": %lld, \"load_seconds\": %.6f, \"tuning_seconds\": %.6f",
      JsonString(flags.model).c_str(), JsonString(result.inputs).c_str(), latency.p50, latency.p90,
      latency.p99, latency.mean, result.latencies_ms.size() / result.measured_seconds,
      result.latencies_ms.size(), result.measured_seconds, result.cpu_seconds,
      result.precision.c_str(), flags.engine.provider.c_str(), flags.engine.threads,
      static_cast<long long>(PeakRssBytes()), result.load_seconds,
      absl::ToDoubleSeconds(result.tuning.time));
  if (flags.profile) std::printf(", \"steps\": %s", ProfileJson(result.profile).c_str());
  std::printf("}\n");
}

absl::Status WriteTrace(const std::string& path, const ModelProfile& profile) {
  std::ofstream file(path, std::ios::binary);
  file << ChromeTrace(profile);
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write the trace to '", path, "'"));
}

absl::Status Bench(const Flags& flags) {
  ASSIGN_OR_RETURN(const Result result, Measure(flags));
  const LatencySummary latency = Summarize(result.latencies_ms);
  flags.json ? PrintJson(flags, result, latency) : PrintTable(flags, result, latency);
  return flags.trace.empty() ? absl::OkStatus() : WriteTrace(flags.trace, result.profile);
}

}  // namespace

void AddBenchCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("bench", "Measure a model's latency in this process");
  command->add_option("MODEL", flags->model, "The .onnx file")->required();
  command
      ->add_option("--shape", flags->inputs.shapes,
                   "NAME=1x3x224x224, the shape of an input; free sizes are 1")
      ->allow_extra_args(false);
  command->add_option("--input", flags->inputs.files, "NAME=FILE.npy; else values are seeded")
      ->allow_extra_args(false);
  command->add_option("--seconds", flags->seconds, "How long to measure")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->add_flag("--profile", flags->profile,
                    "Also time every step, after the measurement and for as long again");
  command->add_option("--trace", flags->trace,
                      "Write the steps of the last profiled runs to this file, for "
                      "chrome://tracing or Perfetto");
  AddEngineFlags(*command, &flags->engine);
  AddCacheFlag(*command, &flags->engine.cache_dir);
  AddTuningFlags(*command, &flags->engine.tuning_seconds, &flags->engine.deterministic);
  command->callback(
      [flags, exit_code] { *exit_code = ExitCodeOf("bench", [&] { return Bench(*flags); }); });
}

}  // namespace inferd
