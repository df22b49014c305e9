#include "server/tracing/tracer.h"

#include <utility>

namespace inferd {

Tracer::Tracer(const TraceSettings& initial, std::string provider, SpanQueue* queue)
    : initial_(initial), provider_(std::move(provider)), queue_(queue) {
  MutexLock lock(&mutex_);
  all_.settings = initial_;
  all_.left = initial_.count;
  Refresh();
}

void Tracer::Refresh() {
  bool enabled = all_.settings.enabled();
  for (const auto& [name, scope] : models_) enabled = enabled || scope.settings.enabled();
  enabled_.store(enabled, std::memory_order_relaxed);
}

bool Tracer::TakeOne(Scope* scope, bool always) {
  if (!scope->settings.enabled() || scope->left == 0) return false;
  if (!always && scope->seen++ % scope->settings.rate != 0) return false;
  if (scope->left > 0) --scope->left;
  return true;
}

std::unique_ptr<RequestTrace> Tracer::Begin(absl::string_view model,
                                            const std::optional<SpanContext>& parent,
                                            absl::string_view state, absl::Time received) {
  if (!enabled() || (parent && !parent->sampled)) return nullptr;
  TraceSettings settings;
  {
    MutexLock lock(&mutex_);
    const auto it = models_.find(model);
    Scope* scope = it == models_.end() ? &all_ : &it->second;
    if (!TakeOne(scope, parent.has_value())) return nullptr;
    settings = scope->settings;
  }
  auto trace = std::make_unique<RequestTrace>();
  trace->context = {parent ? parent->trace : NewTraceId(), NewSpanId(), true};
  trace->parent = parent;
  if (parent && state.size() <= kMaxTraceStateBytes)
    trace->state.assign(state.data(), state.size());
  trace->tensors = settings.tensors;
  trace->log_frequency = settings.log_frequency;
  trace->received = received;
  return trace;
}

void Tracer::End(const RequestTrace& trace, std::vector<Span> spans) {
  queue_->Push(std::move(spans));
  bool flush;
  {
    MutexLock lock(&mutex_);
    flush = ++ended_ > 0 && trace.log_frequency > 0 && ended_ % trace.log_frequency == 0;
  }
  if (flush) queue_->Flush();
}

TraceSettings Tracer::Settings(absl::string_view model) const {
  MutexLock lock(&mutex_);
  const auto it = models_.find(model);
  return it == models_.end() ? all_.settings : it->second.settings;
}

TraceOverrides Tracer::Overrides(absl::string_view model) const {
  MutexLock lock(&mutex_);
  if (model.empty()) return all_.overrides;
  const auto it = models_.find(model);
  return it == models_.end() ? TraceOverrides() : it->second.overrides;
}

void Tracer::SetOverrides(absl::string_view model, const TraceOverrides& overrides) {
  MutexLock lock(&mutex_);
  const auto set = [](Scope* scope, const TraceOverrides& given, const TraceSettings& below) {
    scope->overrides = given;
    scope->settings = given.ApplyTo(below);
  };
  if (model.empty()) {
    set(&all_, overrides, initial_);
    all_.left = all_.settings.count;
    for (auto& [name, scope] : models_) set(&scope, scope.overrides, all_.settings);
  } else if (overrides.empty()) {
    models_.erase(model);
  } else {
    Scope& scope = models_[std::string(model.data(), model.size())];
    set(&scope, overrides, all_.settings);
    scope.left = scope.settings.count;
  }
  Refresh();
}

}  // namespace inferd
