#include "server/commands/profile_report.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "server/commands/latency_summary.h"

namespace inferd {
namespace {

// Enough to see what varies; viewers grow slow with more.
constexpr size_t kMaxTraceRuns = 20;

std::vector<double> MedianMilliseconds(const ModelProfile& profile) {
  std::vector<double> medians;
  for (size_t s = 0; s < profile.steps.size(); ++s) {
    std::vector<double> times;
    for (const std::vector<StepTime>& run : profile.runs) {
      times.push_back(absl::ToDoubleMilliseconds(run[s].duration));
    }
    medians.push_back(Summarize(std::move(times)).p50);
  }
  return medians;
}

// Billions a second; 0 where nothing was counted or no time passed.
double GigaPerSecond(double count, double milliseconds) {
  return milliseconds > 0 ? count / milliseconds / 1e6 : 0;
}

// "12.3", or a dash where nothing was counted.
std::string RateText(double count, double milliseconds) {
  return count > 0 ? absl::StrFormat("%.1f", GigaPerSecond(count, milliseconds)) : "-";
}

// What a group of steps, or one of them, did.
struct Line {
  double milliseconds = 0;
  double flops = 0;
  int64_t bytes = 0;
  int steps = 0;
  std::string text;
};

// The slowest first, equals in the order given.
void Sort(std::vector<Line>* lines) {
  std::stable_sort(lines->begin(), lines->end(),
                   [](const Line& a, const Line& b) { return a.milliseconds > b.milliseconds; });
}

void AppendLine(const Line& line, double total, std::string* table) {
  const double share = total > 0 ? 100 * line.milliseconds / total : 0;
  absl::StrAppendFormat(table, "%10.3f %5.1f%% %8s %8s %10.3f  %s\n", line.milliseconds, share,
                        RateText(line.flops, line.milliseconds),
                        RateText(static_cast<double>(line.bytes), line.milliseconds),
                        static_cast<double>(line.bytes) / 1e6, line.text);
}

void AppendHeader(absl::string_view what, std::string* table) {
  absl::StrAppendFormat(table, "%10s %6s %8s %8s %10s  %s\n", "ms", "share", "Gop/s", "GB/s", "MB",
                        what);
}

std::vector<Line> StepLines(const ModelProfile& profile) {
  const std::vector<double> medians = MedianMilliseconds(profile);
  std::vector<Line> lines;
  for (size_t s = 0; s < profile.steps.size(); ++s) {
    const StepProfile& step = profile.steps[s];
    lines.push_back(
        {medians[s], step.flops, step.bytes, 1,
         absl::StrFormat("%-20s %-32s %-28s %s", step.op, step.kernel, step.output, step.name)});
  }
  return lines;
}

// Steps of one operator and kernel together.
std::vector<Line> OperatorLines(const ModelProfile& profile) {
  const std::vector<double> medians = MedianMilliseconds(profile);
  std::map<std::pair<std::string, std::string>, Line> groups;
  for (size_t s = 0; s < profile.steps.size(); ++s) {
    const StepProfile& step = profile.steps[s];
    Line& line = groups[{step.op, step.kernel}];
    line.milliseconds += medians[s];
    line.flops += step.flops;
    line.bytes += step.bytes;
    ++line.steps;
  }
  std::vector<Line> lines;
  for (auto& [key, line] : groups) {
    line.text = absl::StrFormat("%-20s %-32s %d", key.first, key.second, line.steps);
    lines.push_back(std::move(line));
  }
  return lines;
}

double Microseconds(absl::Duration duration) { return absl::ToDoubleMicroseconds(duration); }

// A complete event: a bar from `start_us` of `duration_us`. `arguments` is a JSON object.
void AppendEvent(const std::string& name, absl::string_view category, double start_us,
                 double duration_us, const std::string& arguments, std::string* trace) {
  absl::StrAppendFormat(trace,
                        ",\n{\"name\": %s, \"cat\": \"%s\", \"ph\": \"X\", \"ts\": %.3f, "
                        "\"dur\": %.3f, \"pid\": 1, \"tid\": 1, \"args\": %s}",
                        JsonString(name), category, start_us, duration_us, arguments);
}

std::string StepArguments(const StepProfile& step, double milliseconds) {
  return absl::StrFormat(
      "{\"node\": %s, \"provider\": %s, \"kernel\": %s, \"output\": %s, \"gops\": %.3f, "
      "\"bytes\": %d}",
      JsonString(step.name), JsonString(step.provider), JsonString(step.kernel),
      JsonString(step.output), GigaPerSecond(step.flops, milliseconds), step.bytes);
}

}  // namespace

std::string ProfileTable(const ModelProfile& profile) {
  std::vector<Line> operators = OperatorLines(profile);
  std::vector<Line> steps = StepLines(profile);
  const double total =
      std::accumulate(steps.begin(), steps.end(), 0.0,
                      [](double sum, const Line& line) { return sum + line.milliseconds; });
  Sort(&operators);
  Sort(&steps);
  std::string table = absl::StrFormat("profile    %d runs, %d steps, %.3f ms\n\n",
                                      profile.runs.size(), profile.steps.size(), total);
  AppendHeader(absl::StrFormat("%-20s %-32s %s", "operator", "kernel", "steps"), &table);
  for (const Line& line : operators) AppendLine(line, total, &table);
  table += "\n";
  AppendHeader(absl::StrFormat("%-20s %-32s %-28s %s", "operator", "kernel", "output", "node"),
               &table);
  for (const Line& line : steps) AppendLine(line, total, &table);
  return table;
}

std::string ProfileJson(const ModelProfile& profile) {
  const std::vector<double> medians = MedianMilliseconds(profile);
  std::string json = "[";
  for (size_t s = 0; s < profile.steps.size(); ++s) {
    const StepProfile& step = profile.steps[s];
    absl::StrAppendFormat(
        &json,
        "%s{\"node\": %s, \"op\": %s, \"provider\": %s, \"kernel\": %s, \"output\": %s, "
        "\"ms\": %.6f, \"flops\": %.0f, \"bytes\": %d}",
        s == 0 ? "" : ", ", JsonString(step.name), JsonString(step.op), JsonString(step.provider),
        JsonString(step.kernel), JsonString(step.output), medians[s], step.flops, step.bytes);
  }
  return json + "]";
}

std::string ChromeTrace(const ModelProfile& profile) {
  std::string trace =
      "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
      "{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": 1, "
      "\"args\": {\"name\": \"inferd steps\"}}";
  double begin_us = 0;
  const size_t runs = profile.runs.size();
  for (size_t r = runs - std::min(runs, kMaxTraceRuns); r < runs; ++r) {
    const std::vector<StepTime>& times = profile.runs[r];
    if (times.empty()) continue;
    const double run_us = Microseconds(times.back().start + times.back().duration);
    AppendEvent(absl::StrFormat("run %d", r), "run", begin_us, run_us, "{}", &trace);
    for (size_t s = 0; s < times.size(); ++s) {
      const StepProfile& step = profile.steps[s];
      AppendEvent(step.op, "step", begin_us + Microseconds(times[s].start),
                  Microseconds(times[s].duration),
                  StepArguments(step, absl::ToDoubleMilliseconds(times[s].duration)), &trace);
    }
    begin_us += run_us;
  }
  return trace + "\n]}\n";
}

}  // namespace inferd
