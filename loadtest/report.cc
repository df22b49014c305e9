#include "loadtest/report.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace inferd::loadtest {
namespace {

double Ms(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

std::string JsonText(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", c);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string ErrorsJson(const Counts& total) {
  std::vector<std::string> entries;
  for (const auto& [code, count] : total.errors) {
    entries.push_back(absl::StrCat(JsonText(code), ":", count));
  }
  return absl::StrCat("{", absl::StrJoin(entries, ","), "}");
}

}  // namespace

std::string ProgressLine(absl::Duration since_start, absl::Duration window, const Counts& recent,
                         int in_flight) {
  return absl::StrFormat(
      "%4.0f s  %8.1f answers/s  p50 %.2f ms  p99 %.2f ms  errors %d  in flight %d",
      absl::ToDoubleSeconds(since_start), recent.answered() / absl::ToDoubleSeconds(window),
      Ms(recent.latencies.Quantile(0.5)), Ms(recent.latencies.Quantile(0.99)), recent.failed(),
      in_flight);
}

std::string TextReport(const Options& options, const Counts& total) {
  std::string text =
      absl::StrFormat("%s, %s %g: %d answers, %.1f/s, %d errors\n", options.model,
                      options.rate > 0 ? "open loop at rate" : "closed loop with concurrency",
                      options.rate > 0 ? options.rate : options.concurrency, total.answered(),
                      total.answered() / options.seconds, total.failed());
  const LatencyHistogram& latencies = total.latencies;
  absl::StrAppendFormat(
      &text, "latency ms: mean %.3f  p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f\n",
      Ms(latencies.mean()), Ms(latencies.Quantile(0.5)), Ms(latencies.Quantile(0.9)),
      Ms(latencies.Quantile(0.99)), Ms(latencies.Quantile(0.999)), Ms(latencies.max()));
  for (const auto& [code, count] : total.errors) {
    absl::StrAppendFormat(&text, "%s: %d, such as: %s\n", code, count, total.samples.at(code));
  }
  if (total.unsent > 0) {
    absl::StrAppendFormat(&text, "not sent, %d already in flight: %d\n", options.max_in_flight,
                          total.unsent);
  }
  if (options.check_equal) {
    absl::StrAppendFormat(&text, "answers unlike the first: %d\n", total.unequal);
  }
  return text;
}

std::string JsonReport(const Options& options, const Counts& total) {
  const LatencyHistogram& latencies = total.latencies;
  const std::string latency = absl::StrFormat(
      "{\"mean\":%.6f,\"p50\":%.6f,\"p90\":%.6f,\"p99\":%.6f,\"p999\":%.6f,\"max\":%.6f}",
      Ms(latencies.mean()), Ms(latencies.Quantile(0.5)), Ms(latencies.Quantile(0.9)),
      Ms(latencies.Quantile(0.99)), Ms(latencies.Quantile(0.999)), Ms(latencies.max()));
  return absl::StrFormat(
      "{\"model\":%s,\"mode\":\"%s\",\"offered_rate\":%g,\"concurrency\":%d,\"seconds\":%g,"
      "\"answers\":%d,\"rate\":%.3f,\"latency_ms\":%s,\"errors\":%s,\"unsent\":%d,\"unequal\":%d}"
      "\n",
      JsonText(options.model), options.rate > 0 ? "open" : "closed", options.rate,
      options.concurrency, options.seconds, total.answered(), total.answered() / options.seconds,
      latency, ErrorsJson(total), total.unsent, total.unequal);
}

}  // namespace inferd::loadtest
