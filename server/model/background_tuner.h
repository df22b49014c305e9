#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/core/mutex.h"
#include "engine/runtime/core_slots.h"

namespace inferd {

class ServedModel;

// Lets served models measure which kernels run their plans fastest, one model after the other, in a
// thread of its own and only while core slots are idle. Looks again every second, because plans are
// made for the shapes that requests bring. Thread-safe.
class BackgroundTuner {
 public:
  // The models to look at now.
  using Models = std::function<std::vector<std::shared_ptr<ServedModel>>()>;

  // `slots` outlive this object.
  BackgroundTuner(CoreSlots* slots, Models models);
  // Stops after the step that is being measured.
  ~BackgroundTuner();
  BackgroundTuner(const BackgroundTuner&) = delete;
  BackgroundTuner& operator=(const BackgroundTuner&) = delete;

 private:
  void Loop();
  bool stopping() const;

  CoreSlots* const slots_;
  const Models models_;
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace inferd
