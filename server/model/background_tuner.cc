#include "server/model/background_tuner.h"

#include <utility>

#include "absl/time/time.h"
#include "server/model/low_priority.h"
#include "server/model/served_model.h"

namespace inferd {
namespace {

constexpr absl::Duration kLookAgainAfter = absl::Seconds(1);

}  // namespace

BackgroundTuner::BackgroundTuner(CoreSlots* slots, Models models)
    : slots_(slots), models_(std::move(models)), thread_([this] { Loop(); }) {}

BackgroundTuner::~BackgroundTuner() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  thread_.join();
}

bool BackgroundTuner::stopping() const {
  MutexLock lock(&mutex_);
  return stopping_;
}

void BackgroundTuner::Loop() {
  LowerPriority();
  PrepareThread(slots_->threads_per_slot());
  while (!stopping()) {
    for (const std::shared_ptr<ServedModel>& model : models_()) {
      if (stopping()) return;
      model->Tune(*slots_, [this] { return stopping(); });
    }
    MutexLock lock(&mutex_);
    if (!stopping_) wake_.WaitFor(&mutex_, kLookAgainAfter);
  }
}

}  // namespace inferd
