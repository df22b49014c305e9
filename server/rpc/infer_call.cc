#include "server/rpc/infer_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/rpc/infer_parameters.h"
#include "server/tracing/request_spans.h"

namespace inferd {
namespace {

// Ids are echoed whole in replies; in messages so much of them is enough.
constexpr size_t kIdInMessage = 128;

// Of a request's tensors, so many are named in its trace, with so much of their names.
constexpr int kTensorsInTrace = 64;
constexpr size_t kNameInTrace = 128;

template <typename Tensors>
std::vector<std::string> TensorTexts(const Tensors& tensors) {
  std::vector<std::string> texts;
  for (int i = 0; i < std::min(tensors.size(), kTensorsInTrace); ++i) {
    const auto& shape = tensors[i].shape();
    texts.push_back(absl::StrCat(
        tensors[i].name().substr(0, kNameInTrace), " ", tensors[i].datatype().substr(0, 16), "[",
        absl::StrJoin(shape.begin(), shape.begin() + std::min(shape.size(), kTensorsInTrace), ","),
        "]"));
  }
  return texts;
}

// Puts the model's name into a message that does not have it.
absl::Status NamingModel(const absl::Status& status, const std::string& name) {
  if (absl::StrContains(status.message(), "model '")) return status;
  return Annotate(status, absl::StrCat("model '", name, "'"));
}

// What a client did wrong is for debugging; what went wrong here is for whoever runs the server.
void LogFailure(const absl::Status& status, const std::string& id) {
  const bool is_ours = absl::IsInternal(status) || absl::IsDataLoss(status);
  if (!is_ours && !DebugIsLogged()) return;
  const absl::Status named = WithRequestId(status, id);
  const std::string line = absl::StrCat("request failed: ", absl::StatusCodeToString(named.code()),
                                        ": ", named.message());
  is_ours ? LogError(line) : LogDebug(line);
}

}  // namespace

absl::Status WithRequestId(const absl::Status& status, absl::string_view id) {
  if (status.ok()) return status;
  const absl::string_view shown = id.empty() ? "<id_unknown>" : id.substr(0, kIdInMessage);
  return absl::Status(status.code(), absl::StrCat("[request id: ", shown, "] ", status.message()));
}

void InferCall::SetTraceHeaders(absl::string_view parent, absl::string_view state) {
  trace_parent_ = ParseTraceParent(parent);
  // Without the one, W3C has the other mean nothing.
  if (trace_parent_ && state.size() <= kMaxTraceStateBytes) {
    trace_state_.assign(state.data(), state.size());
  }
}

std::string InferCall::TraceParent() const {
  return trace_ == nullptr ? "" : TraceParentText(trace_->context);
}

void InferCall::Start(const inference::ModelInferRequest& request,
                      inference::ModelInferResponse* response, absl::Time received,
                      absl::Time deadline, Done done) {
  response_ = response;
  done_ = std::move(done);
  id_ = request.id();
  request_ = &request;
  received_ = received;
  if (features_.tracer != nullptr && features_.tracer->enabled()) {
    trace_ = features_.tracer->Begin(request.model_name(), trace_parent_, trace_state_, received);
  }
  absl::StatusOr<ModelHandle> model =
      repository_->Get(request.model_name(), request.model_version());
  if (!model.ok()) {
    Finish(model.status());
    return;
  }
  model_ = *std::move(model);
  absl::StatusOr<std::unique_ptr<InferRequest>> decoded = Decode(request);
  if (!decoded.ok()) {
    model_->CountRefusal(decoded.status(), absl::Now() - received);
    Finish(NamingModel(decoded.status(), model_->name()));
    return;
  }
  (*decoded)->received = received;
  (*decoded)->deadline = deadline;
  // The handle is copied: `finish` may end this call while Infer() is still on the stack.
  const ModelHandle pinned = model_;
  pinned->Infer(*std::move(decoded));
}

absl::StatusOr<std::unique_ptr<InferRequest>> InferCall::Decode(
    const inference::ModelInferRequest& request) {
  ASSIGN_OR_RETURN(const InferParameters parameters, ReadRequestParameters(request.parameters()));
  wants_timings_ = parameters.timings;
  ASSIGN_OR_RETURN(requested_, ReadRequestedOutputs(request, *model_, features_.shared_memory));
  auto decoded = std::make_unique<InferRequest>();
  ASSIGN_OR_RETURN(decoded->inputs,
                   DecodeInputs(request, *model_, features_.shared_memory, &charge_));
  decoded->id = request.id();
  decoded->priority = parameters.priority;
  decoded->queue_timeout = parameters.queue_timeout;
  // Not counted by the pointer: this call outlives the request, whose `finish` ends it.
  decoded->cancelled =
      std::shared_ptr<const std::atomic<bool>>(std::shared_ptr<void>(), &cancelled_);
  decoded->complete = [this](const absl::Status& status, absl::Span<const Tensor> outputs) {
    Complete(status, outputs);
  };
  decoded->trace = trace_.get();
  decoded->finish = [this, timing = &decoded->timing] {
    timing_ = *timing;
    Finish(std::move(status_));
  };
  return decoded;
}

void InferCall::Complete(const absl::Status& status, absl::Span<const Tensor> outputs) {
  status_ = status;
  if (status_.ok()) {
    response_->set_model_name(model_->name());
    response_->set_model_version(model_->version_text());
    response_->set_id(id_);
    status_ = EncodeOutputs(outputs, requested_, *model_, max_reply_bytes_, response_);
  }
  status_ = NamingModel(status_, model_->name());
}

void InferCall::Finish(absl::Status status) {
  if (trace_ != nullptr) EndTrace(status);
  if (wants_timings_) {
    ended_ = absl::Now();
    for (const auto& [name, value] : Timings()) {
      (*response_->mutable_parameters())[absl::StrCat("inferd_", name)].set_int64_param(value);
    }
  }
  if (!status.ok()) LogFailure(status, id_);
  Done done = std::move(done_);
  done(WithRequestId(status, id_));
}

std::vector<std::pair<const char*, int64_t>> InferCall::Timings() const {
  const auto microseconds = [](absl::Duration time) { return absl::ToInt64Microseconds(time); };
  return {{"queue_us", microseconds(timing_.queue)},
          {"compute_input_us", microseconds(timing_.compute_input)},
          {"compute_infer_us", microseconds(timing_.compute_infer)},
          {"compute_output_us", microseconds(timing_.compute_output)},
          {"total_us", microseconds(ended_ - received_)},
          {"batch_size", timing_.batch_rows}};
}

std::string InferCall::TimingsText() const {
  if (!wants_timings_) return "";
  return absl::StrJoin(Timings(), " ", absl::PairFormatter("="));
}

void InferCall::Describe(AccessRecord* record) const {
  record->request_id = id_;
  // Not started, it knows no more.
  if (request_ == nullptr) return;
  record->model = request_->model_name();
  if (model_ != nullptr) record->version = model_->version_text();
  record->queue = timing_.queue;
  record->compute = timing_.compute_input + timing_.compute_infer + timing_.compute_output;
  record->batch_rows = timing_.batch_rows;
}

void InferCall::EndTrace(const absl::Status& status) {
  TracedRequest traced;
  traced.model = request_->model_name().substr(0, kNameInTrace);
  if (model_ != nullptr) traced.version = model_->version_text();
  traced.request_id = id_.substr(0, kIdInMessage);
  traced.provider = features_.tracer->provider();
  if (trace_->tensors) {
    traced.inputs = TensorTexts(request_->inputs());
    if (status.ok()) traced.outputs = TensorTexts(response_->outputs());
  }
  traced.timing = timing_;
  traced.status = status;
  traced.ended = absl::Now();
  features_.tracer->End(*trace_, MakeSpans(*trace_, traced));
}

}  // namespace inferd
