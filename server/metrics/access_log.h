#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace inferd {

// What the access log says of one request. A value type.
struct AccessRecord {
  std::string method;
  std::string request_id;
  std::string model;
  std::string version;  // empty where none was found
  std::string peer;
  absl::StatusCode code = absl::StatusCode::kOk;
  absl::Time received;
  absl::Duration latency;
  absl::Duration queue;
  absl::Duration compute;
  int64_t batch_rows = 0;
  int64_t request_bytes = 0;
  int64_t reply_bytes = 0;
};

// Writes a line to the log for each so many-th request: level info, "access" and then the fields,
// as key=value or, in the log's JSON format, as members. Thread-safe, without a lock.
class AccessLog {
 public:
  // `rate` >= 1.
  explicit AccessLog(int64_t rate) : rate_(rate) {}
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // The record of a request that begins, if it is one of those that are written; none without a
  // log.
  static std::optional<AccessRecord> Begin(AccessLog* log, const char* method,
                                           int64_t request_bytes, absl::Time received);
  // Counts a request; true when it is to be written.
  bool Sample() { return seen_.fetch_add(1, std::memory_order_relaxed) % rate_ == 0; }
  // Writes a request that has ended now.
  void End(absl::StatusCode code, int64_t reply_bytes, AccessRecord record);
  void Write(const AccessRecord& record);

 private:
  const int64_t rate_;
  std::atomic<int64_t> seen_{0};
};

}  // namespace inferd
