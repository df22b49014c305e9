// inferd-loadtest: sends load to a server of the Open Inference Protocol and reports latencies.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "loadtest/infer_client.h"
#include "loadtest/load_run.h"
#include "loadtest/options.h"
#include "loadtest/recorder.h"
#include "loadtest/report.h"
#include "loadtest/request_maker.h"

namespace inferd::loadtest {
namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

struct Texts {
  std::vector<std::string> inputs;
  std::vector<std::string> shapes;
};

void AddOptions(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--url", options.url, "HOST:PORT of the server's gRPC service");
  app.add_option("--model", options.model, "The model to ask")->required();
  app.add_option("--model-version", options.version, "Its version; the newest by default");
  app.add_option("--rate", options.rate, "Open loop: requests a second, at Poisson instants");
  app.add_option("--concurrency", options.concurrency, "Closed loop: requests in flight");
  app.add_option("--seconds", options.seconds, "How long to count");
  app.add_option("--warmup", options.warmup_seconds, "Seconds sent before counting");
  app.add_option("--timeout", options.timeout_seconds, "Seconds a request may take");
  app.add_option("--connections", options.connections, "Connections to the server");
  app.add_option("--max-in-flight", options.max_in_flight,
                 "Open loop: requests beyond this many are counted as not sent");
  app.add_option("--seed", options.seed, "Seed of the schedule and of generated inputs");
  app.add_option("--input", texts.inputs, "NAME=FILE.npy: an input's data")->take_all();
  app.add_option("--shape", texts.shapes, "NAME=1x3x224x224: a generated input's shape")
      ->take_all();
  app.add_flag("--check-equal", options.check_equal,
               "Compare every answer with the first, bit by bit; exit 1 when one differs. For a "
               "server with --deterministic");
  app.add_flag("--json", options.json, "Report as JSON");
}

absl::Status ReadTexts(const Texts& texts, Options* options) {
  auto files = ParsePairs(texts.inputs);
  if (!files.ok()) return files.status();
  options->input_files = *std::move(files);
  auto shapes = ParsePairs(texts.shapes);
  if (!shapes.ok()) return shapes.status();
  for (const auto& [name, text] : *shapes) {
    auto shape = ParseShapeText(text);
    if (!shape.ok()) return shape.status();
    options->shapes[name] = *std::move(shape);
  }
  return CheckOptions(*options);
}

int Complain(const absl::Status& status, int exit_code) {
  std::cerr << "inferd-loadtest: " << status.message() << '\n';
  return exit_code;
}

// Prints a progress line each second until destroyed.
class Progress {
 public:
  Progress(Recorder* recorder, const LoadRun* run)
      : thread_([this, recorder, run](std::stop_token stop) {
          const absl::Time start = absl::Now();
          for (absl::Time last = start; !Wait(stop);) {
            const absl::Time now = absl::Now();
            std::cerr << ProgressLine(now - start, now - last, recorder->TakeRecent(),
                                      run->in_flight())
                      << std::endl;
            last = now;
          }
        }) {}

 private:
  // Returns whether to stop.
  static bool Wait(const std::stop_token& stop) {
    for (int i = 0; i < 20 && !stop.stop_requested(); ++i) absl::SleepFor(absl::Milliseconds(50));
    return stop.stop_requested();
  }

  std::jthread thread_;
};

int RunLoad(const Options& options) {
  InferClient client(options.url, options.connections);
  auto metadata =
      client.Metadata(options.model, options.version, absl::Seconds(options.timeout_seconds));
  if (!metadata.ok()) return Complain(metadata.status(), kFailed);
  auto request = MakeRequest(options, *metadata);
  if (!request.ok()) return Complain(request.status(), kBadUsage);

  Recorder recorder(options.check_equal);
  LoadRun run(options, *request, &client, &recorder);
  {
    const Progress progress(&recorder, &run);
    run.Run();
  }
  const Counts total = recorder.Total();
  std::cout << (options.json ? JsonReport(options, total) : TextReport(options, total));
  return total.answered() > 0 && total.unequal == 0 ? 0 : kFailed;
}

int Main(int argc, char** argv) {
  CLI::App app("Sends load to a server of the Open Inference Protocol and reports latencies.",
               "inferd-loadtest");
  Options options;
  Texts texts;
  AddOptions(app, options, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadUsage;
  }
  if (absl::Status status = ReadTexts(texts, &options); !status.ok()) {
    return Complain(status, kBadUsage);
  }
  return RunLoad(options);
}

}  // namespace
}  // namespace inferd::loadtest

int main(int argc, char** argv) { return inferd::loadtest::Main(argc, argv); }
