#include "server/scheduler/batcher.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/tracing/request_trace.h"

namespace inferd {
namespace {

// Waking a further slot costs tens of microseconds; less work than this is not spread.
constexpr absl::Duration kWorthASlot = absl::Microseconds(200);
// Less work than this is done by the thread that brings the request, if a slot is idle.
constexpr absl::Duration kWorthAThread = absl::Microseconds(50);
// Alarms are set at most this far ahead, so that few can be pending at once.
constexpr absl::Duration kFarthestAlarm = absl::Seconds(1);
// Larger join buffers are given back after their batch.
constexpr int64_t kMaxKeptBytes = int64_t{64} << 20;

absl::Status Expired(const InferRequest& request, absl::Time expiry) {
  return absl::DeadlineExceededError(expiry < request.deadline
                                         ? "the request's queue timeout passed before it could run"
                                         : "the request's deadline passed before it could run");
}

// Requests of one batch that are traced know of each other.
void LinkTraces(absl::Span<const RequestQueue::Entry> batch) {
  std::shared_ptr<BatchTrace> joint;
  for (const RequestQueue::Entry& entry : batch) {
    RequestTrace* const trace = entry.request->trace;
    if (trace == nullptr) continue;
    trace->is_first_of_batch = joint == nullptr;
    if (joint == nullptr) joint = std::make_shared<BatchTrace>(BatchTrace{NewSpanId(), {}});
    joint->requests.push_back(trace->context);
    trace->batch = joint;
  }
}

bool HaveDifferentLengths(absl::Span<const RequestQueue::Entry> batch) {
  return std::any_of(batch.begin(), batch.end(), [&](const RequestQueue::Entry& entry) {
    return entry.request->inputs[0].dim(1) != batch[0].request->inputs[0].dim(1);
  });
}

}  // namespace

// One execution: when it began and what its parts took.
struct Batcher::Outcome {
  absl::Time begin;
  absl::Duration input;
  absl::Duration infer;
  int64_t rows = 0;
};

Batcher::Batcher(Parts parts, const ModelOptions& options)
    : parts_(std::move(parts)),
      options_(options),
      queue_(options.max_queue_requests, parts_.packs),
      may_join_(options.max_batch_size > 0) {
  parts_.metrics->SetLimits(options_.max_queue_requests, options_.max_batch_size);
}

Batcher::~Batcher() = default;

absl::Time Batcher::ExpiryOf(const InferRequest& request, absl::Time now) const {
  absl::Duration timeout = absl::InfiniteDuration();
  if (options_.default_queue_timeout > absl::ZeroDuration()) {
    timeout = options_.default_queue_timeout;
  }
  if (request.queue_timeout && options_.allow_timeout_override) {
    timeout = std::min(timeout, *request.queue_timeout);
  }
  return std::min(request.deadline, now + timeout);
}

uint32_t Batcher::LevelOf(const InferRequest& request) const {
  if (options_.priority_levels == 0) return 0;
  return request.priority == 0 ? options_.default_priority
                               : std::min(request.priority, options_.priority_levels);
}

absl::Status Batcher::Admit(const InferRequest& request, absl::Time now, absl::Time expiry) const {
  if (draining_) {
    return absl::UnavailableError(
        absl::StrCat("model '", parts_.label, "' is draining and takes no new requests"));
  }
  if (request.IsCancelled()) return absl::CancelledError("the request was cancelled");
  if (expiry <= now) return Expired(request, expiry);
  if (queue_.full()) {
    return absl::ResourceExhaustedError(absl::StrCat("the queue of model '", parts_.label,
                                                     "' is full: it holds ", queue_.requests(),
                                                     " requests, its limit"));
  }
  return absl::OkStatus();
}

void Batcher::Enqueue(std::unique_ptr<InferRequest> request) {
  // The request's owner may let the model go as soon as the request is answered.
  const std::shared_ptr<Batcher> self = shared_from_this();
  const absl::Time now = parts_.clock->Now();
  if (request->received == absl::InfinitePast()) request->received = now;
  request->timing.queued = now;
  const absl::Time expiry = ExpiryOf(*request, now);

  absl::Status admitted;
  std::vector<Entry> cancelled;
  int pulls = 0;
  bool tiny = false;
  absl::Time alarm = absl::InfiniteFuture();
  {
    MutexLock lock(&mutex_);
    if (queue_.full()) cancelled = queue_.PopCancelled();
    admitted = Admit(*request, now, expiry);
    if (admitted.ok()) {
      const uint32_t level = LevelOf(*request);
      queue_.Push({std::move(request), now, expiry, level}, options_.max_batch_size > 0);
      pulls = TakePulls();
      const absl::Duration work = profile_.Estimate(queue_.rows());
      tiny = work > absl::ZeroDuration() && work < kWorthAThread;
      alarm = TakeAlarm(now);
      parts_.metrics->SetQueue(queue_.requests());
    }
  }
  if (alarm < absl::InfiniteFuture()) SetAlarm(alarm);
  // A slot of several threads runs on its own thread only: a caller would bring a further team.
  if (tiny && pulls == 1 && parts_.slots->threads_per_slot() == 1 &&
      parts_.slots->TryRunHere([this](CoreSlot& slot) { Pull(slot, false); })) {
    pulls = 0;
  }
  if (pulls > 0) Submit(pulls, false);
  FailAll(std::move(cancelled), absl::CancelledError("the request was cancelled in the queue"));
  if (!admitted.ok()) Fail(std::move(request), admitted);
}

int Batcher::TakePulls() {
  if (queue_.requests() == 0) return 0;
  int64_t wanted = std::min<int64_t>(parts_.slots->count(), queue_.requests());
  const absl::Duration work = profile_.Estimate(queue_.rows());
  if (work > absl::ZeroDuration()) {
    const double slots = std::ceil(absl::FDivDuration(work, kWorthASlot));
    wanted = static_cast<int64_t>(std::clamp(slots, 1.0, static_cast<double>(wanted)));
  }
  const int more = static_cast<int>(std::max<int64_t>(0, wanted - pulls_));
  pulls_ += more;
  return more;
}

void Batcher::Submit(int pulls, bool has_yielded) {
  for (int i = 0; i < pulls; ++i) {
    parts_.slots->Submit([self = shared_from_this(), has_yielded](CoreSlot& slot) {
      self->Pull(slot, has_yielded);
    });
  }
}

absl::Time Batcher::TakeAlarm(absl::Time now) {
  const absl::Time next = queue_.next_expiry();
  if (next == absl::InfiniteFuture()) return next;
  const absl::Time when = std::min(next, now + kFarthestAlarm);
  if (alarm_ <= when) return absl::InfiniteFuture();
  alarm_ = when;
  return when;
}

void Batcher::SetAlarm(absl::Time when) {
  parts_.clock->CallAt(when, [weak = weak_from_this(), when] {
    if (const std::shared_ptr<Batcher> self = weak.lock()) self->OnAlarm(when);
  });
}

void Batcher::OnAlarm(absl::Time when) {
  const absl::Time now = parts_.clock->Now();
  std::vector<Entry> expired;
  absl::Time alarm;
  {
    MutexLock lock(&mutex_);
    if (alarm_ == when) alarm_ = absl::InfiniteFuture();
    expired = queue_.PopExpired(now);
    alarm = TakeAlarm(now);
    parts_.metrics->SetQueue(queue_.requests());
  }
  if (alarm < absl::InfiniteFuture()) SetAlarm(alarm);
  FailExpired(std::move(expired));
}

BatchLimits Batcher::LimitsNow(absl::Time now, int unoccupied, int waiting) const {
  BatchLimits limits;
  limits.may_join = may_join_;
  // Tasks that wait no more have got a slot already; free slots take others at once.
  const int64_t parallel = 1 + std::min(pulls_, std::max(0, pulls_ - waiting) + unoccupied);
  const int64_t share = (queue_.next_rows() + parallel - 1) / parallel;
  limits.max_rows = std::clamp<int64_t>(share, 1, std::max<int64_t>(options_.max_batch_size, 1));
  if (options_.max_queue_delay > absl::ZeroDuration()) {
    limits.preferred_rows = options_.preferred_batch_sizes;
    limits.keep_before = now - options_.max_queue_delay;
  }
  return limits;
}

bool Batcher::ShouldYield(absl::Time now, int waiting) const {
  return may_join_ && waiting > pulls_ && queue_.requests() > 0 &&
         queue_.next_rows() < options_.max_batch_size &&
         now - queue_.next_queued() < options_.max_queue_delay;
}

void Batcher::Pull(CoreSlot& slot, bool has_yielded) {
  const bool may_yield = !has_yielded && options_.max_queue_delay > absl::ZeroDuration();
  // In this order, a task that gets its slot in between counts twice rather than not at all.
  const int unoccupied = parts_.slots->unoccupied();
  const int waiting = parts_.slots->waiting();
  const absl::Time now = parts_.clock->Now();
  std::vector<Entry> batch;
  std::vector<Entry> expired;
  int pulls = 0;
  bool yields = false;
  {
    MutexLock lock(&mutex_);
    --pulls_;
    expired = queue_.PopExpired(now);
    yields = may_yield && ShouldYield(now, waiting);
    if (yields) {
      ++pulls_;
    } else {
      batch = queue_.PopBatch(LimitsNow(now, unoccupied, waiting));
    }
    pulls = TakePulls();
    parts_.metrics->SetQueue(queue_.requests());
  }
  if (yields) Submit(1, true);
  if (pulls > 0) Submit(pulls, false);
  FailExpired(std::move(expired));

  const auto live = std::stable_partition(
      batch.begin(), batch.end(), [](const Entry& entry) { return entry.request->IsCancelled(); });
  std::vector<Entry> cancelled(std::make_move_iterator(batch.begin()),
                               std::make_move_iterator(live));
  batch.erase(batch.begin(), live);
  FailAll(std::move(cancelled), absl::CancelledError("the request was cancelled in the queue"));
  if (batch.size() == 1) {
    RunAlone(slot, std::move(batch[0]));
  } else if (parts_.packs && HaveDifferentLengths(batch)) {
    RunPackedBatch(slot, std::move(batch));
  } else if (!batch.empty()) {
    RunBatch(slot, std::move(batch));
  }
}

void Batcher::RunBatch(CoreSlot& slot, std::vector<Entry> batch) {
  std::vector<const InferRequest*> requests;
  Outcome outcome;
  outcome.begin = parts_.clock->Now();
  for (const Entry& entry : batch) {
    requests.push_back(entry.request.get());
    outcome.rows += entry.request->rows;
  }

  std::unique_ptr<BatchAssembly> assembly = TakeAssembly();
  std::vector<Tensor> joined;
  std::vector<Tensor> outputs;
  absl::Status status = assembly->Join(requests, &joined);
  const absl::Time input_end = parts_.clock->Now();
  outcome.input = input_end - outcome.begin;
  if (status.ok()) status = RunModel(slot, joined, &outputs);
  outcome.infer = parts_.clock->Now() - input_end;
  if (status.ok()) {
    status = CheckOutputRows(outputs, outcome.rows);
    if (!status.ok()) StopJoining(status);
  }
  if (status.ok()) {
    std::vector<std::vector<Tensor>> parts;
    int64_t row = 0;
    for (const InferRequest* request : requests) {
      parts.push_back(SliceRows(outputs, row, request->rows));
      row += request->rows;
    }
    Reply(std::move(batch), parts, outcome);
    ReturnAssembly(std::move(assembly));
    return;
  }
  // Alone, only the request at fault fails.
  ReturnAssembly(std::move(assembly));
  for (Entry& entry : batch) RunAlone(slot, std::move(entry));
}

void Batcher::RunPackedBatch(CoreSlot& slot, std::vector<Entry> batch) {
  std::vector<absl::Span<const Tensor>> requests;
  Outcome outcome;
  outcome.begin = parts_.clock->Now();
  for (const Entry& entry : batch) {
    requests.emplace_back(entry.request->inputs);
    outcome.rows += entry.request->rows;
  }
  std::vector<std::vector<Tensor>> all;
  absl::Status status;
  try {
    status = parts_.model->RunPacked(slot, requests, &all);
  } catch (const std::exception& error) {
    status = absl::InternalError(error.what());
  }
  outcome.infer = parts_.clock->Now() - outcome.begin;
  std::vector<std::vector<Tensor>> outputs(all.size());
  for (size_t i = 0; status.ok() && i < all.size(); ++i) {
    status = TakeOutputs(std::move(all[i]), &outputs[i]);
  }
  if (status.ok()) return Reply(std::move(batch), outputs, outcome);
  for (Entry& entry : batch) RunAlone(slot, std::move(entry));
}

void Batcher::RunAlone(CoreSlot& slot, Entry entry) {
  if (entry.request->IsCancelled()) {
    return Fail(std::move(entry.request), absl::CancelledError("the request was cancelled"));
  }
  Outcome outcome;
  outcome.begin = parts_.clock->Now();
  outcome.rows = entry.request->rows;
  std::vector<std::vector<Tensor>> outputs(1);
  const absl::Status status = RunModel(slot, entry.request->inputs, &outputs[0]);
  outcome.infer = parts_.clock->Now() - outcome.begin;
  if (!status.ok()) {
    entry.request->timing.queue = outcome.begin - entry.queued;
    entry.request->timing.computed = outcome.begin;
    return Fail(std::move(entry.request), status);
  }
  std::vector<Entry> batch;
  batch.push_back(std::move(entry));
  Reply(std::move(batch), outputs, outcome);
}

absl::Status Batcher::RunModel(CoreSlot& slot, absl::Span<const Tensor> inputs,
                               std::vector<Tensor>* outputs) {
  absl::Status status;
  std::vector<Tensor> all;
  try {
    status = parts_.model->Run(slot, inputs, &all);
  } catch (const std::exception& error) {
    status = absl::InternalError(error.what());
  }
  if (!status.ok()) return Annotate(status, absl::StrCat("model '", parts_.label, "'"));
  return TakeOutputs(std::move(all), outputs);
}

absl::Status Batcher::TakeOutputs(std::vector<Tensor> all, std::vector<Tensor>* outputs) const {
  outputs->reserve(parts_.output_indices.size());
  for (const int i : parts_.output_indices) {
    if (i >= static_cast<int>(all.size())) {
      return absl::InternalError(absl::StrCat("model '", parts_.label, "': expected output ", i,
                                              ", got ", all.size(), " outputs"));
    }
    outputs->push_back(std::move(all[i]));
  }
  return absl::OkStatus();
}

void Batcher::StopJoining(const absl::Status& reason) {
  {
    MutexLock lock(&mutex_);
    if (!may_join_) return;
    may_join_ = false;
  }
  LogWarning(
      absl::StrCat("model '", parts_.label, "' will not be batched any more: ", reason.message()));
}

void Batcher::Reply(std::vector<Entry> batch, absl::Span<const std::vector<Tensor>> outputs,
                    const Outcome& outcome) {
  {
    MutexLock lock(&mutex_);
    profile_.Observe(outcome.rows, outcome.input + outcome.infer);
  }
  parts_.metrics->CountExecution(outcome.rows, outcome.input, outcome.infer);
  LinkTraces(batch);
  const absl::Time output_begin = parts_.clock->Now();
  absl::Time begin = output_begin;
  for (size_t i = 0; i < batch.size(); ++i) {
    InferRequest& request = *batch[i].request;
    RequestTiming& timing = request.timing;
    timing.queue = outcome.begin - batch[i].queued;
    timing.compute_input = outcome.input;
    timing.compute_infer = outcome.infer;
    timing.batch_rows = outcome.rows;
    timing.computed = outcome.begin;
    timing.replied = begin;
    request.complete(absl::OkStatus(), outputs[i]);
    const absl::Time end = parts_.clock->Now();
    timing.compute_output = end - begin;
    begin = end;
    parts_.metrics->CountSuccess({request.rows, end, end - request.received, timing.queue,
                                  timing.compute_input, timing.compute_infer,
                                  timing.compute_output});
    if (i + 1 == batch.size()) parts_.metrics->CountOutput(outcome.rows, end - output_begin);
    if (request.finish) request.finish();
    batch[i].request.reset();
  }
}

void Batcher::Fail(std::unique_ptr<InferRequest> request, const absl::Status& status) {
  request->complete(status, {});
  parts_.metrics->CountFailure(status, parts_.clock->Now() - request->received);
  if (request->finish) request->finish();
}

void Batcher::FailExpired(std::vector<Entry> expired) {
  for (Entry& entry : expired) {
    const absl::Status status = Expired(*entry.request, entry.expiry);
    Fail(std::move(entry.request), status);
  }
}

void Batcher::FailAll(std::vector<Entry> entries, const absl::Status& status) {
  for (Entry& entry : entries) Fail(std::move(entry.request), status);
}

void Batcher::Drain() {
  MutexLock lock(&mutex_);
  draining_ = true;
}

void Batcher::Close() {
  const std::shared_ptr<Batcher> self = shared_from_this();
  std::vector<Entry> queued;
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    queued = queue_.PopAll();
    parts_.metrics->SetQueue(0);
  }
  FailAll(std::move(queued),
          absl::UnavailableError(absl::StrCat("model '", parts_.label, "' is being unloaded")));
}

int64_t Batcher::queued() const {
  MutexLock lock(&mutex_);
  return queue_.requests();
}

std::unique_ptr<BatchAssembly> Batcher::TakeAssembly() {
  MutexLock lock(&mutex_);
  if (assemblies_.empty()) return std::make_unique<BatchAssembly>();
  std::unique_ptr<BatchAssembly> assembly = std::move(assemblies_.back());
  assemblies_.pop_back();
  return assembly;
}

void Batcher::ReturnAssembly(std::unique_ptr<BatchAssembly> assembly) {
  if (assembly->kept_bytes() > kMaxKeptBytes) return;
  MutexLock lock(&mutex_);
  assemblies_.push_back(std::move(assembly));
}

}  // namespace inferd
