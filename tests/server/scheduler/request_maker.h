#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/core/mutex.h"
#include "server/scheduler/infer_request.h"

namespace inferd {

// What became of one request.
struct Reply {
  absl::Status status;
  std::vector<Shape> shapes;
  std::vector<float> values;  // of the first output
  bool finished = false;
};

// Makes float requests and collects their replies. Outlives them. Thread-safe.
class RequestMaker {
 public:
  // A request with one input of this shape, filled with `value`; its number in the order made.
  std::unique_ptr<InferRequest> Make(const Shape& shape, float value = 0) {
    auto request = std::make_unique<InferRequest>();
    const std::vector<float> values(shape.num_elements(), value);
    request->inputs.push_back(Tensor::FromValues<float>(shape, absl::MakeConstSpan(values)));
    request->rows = shape.dim(0);
    size_t number;
    {
      MutexLock lock(&mutex_);
      number = replies_.size();
      replies_.emplace_back();
    }
    request->complete = [this, number](const absl::Status& status,
                                       absl::Span<const Tensor> outputs) {
      MutexLock lock(&mutex_);
      Reply& reply = replies_[number];
      ++completions_;
      reply.status = status;
      for (const Tensor& output : outputs) reply.shapes.push_back(output.shape());
      if (outputs.empty() || outputs[0].dtype() != DType::kFloat32) return;
      const auto first = outputs[0].values<float>();
      reply.values.assign(first.begin(), first.end());
    };
    request->finish = [this, number] {
      MutexLock lock(&mutex_);
      replies_[number].finished = true;
      ++finished_;
      changed_.SignalAll();
    };
    return request;
  }

  // Waits until so many requests have been answered.
  void Await(size_t count) {
    MutexLock lock(&mutex_);
    while (finished_ < count) changed_.Wait(&mutex_);
  }
  Reply reply(size_t number) const {
    MutexLock lock(&mutex_);
    return replies_[number];
  }
  size_t completions() const {
    MutexLock lock(&mutex_);
    return completions_;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Reply> replies_ ABSL_GUARDED_BY(mutex_);
  size_t completions_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t finished_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace inferd
