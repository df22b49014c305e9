#pragma once

#include "absl/status/statusor.h"
#include "engine/runtime/body_runner.h"

namespace inferd {

// `tensor` if it has storage that lasts, else a copy; sequences and other parts are shared.
absl::StatusOr<Tensor> Lasting(const Tensor& tensor, bool kept);

// A value that goes from one iteration to the next. Copies what does not outlive an iteration, in
// turn between two buffers of its own, so that a body which swaps values reads the old ones.
// Used by one thread at a time.
class CarriedValue {
 public:
  // Borrows `initial`, which must stay alive until Take or the end.
  explicit CarriedValue(const Tensor& initial) : value_(initial) {}

  const Tensor& value() const { return value_; }
  // Makes result `i` of the body's last run the value.
  absl::Status Take(const BodyRunner& body, int i);
  // The value with storage that lasts.
  absl::StatusOr<Tensor> Finish() const { return Lasting(value_, taken_); }

 private:
  Tensor value_;
  Tensor spare_;         // storage that nobody reads
  bool taken_ = false;   // value_ is not the initial one
  bool copied_ = false;  // value_ is a copy made here
};

}  // namespace inferd
