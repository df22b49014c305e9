#include "server/rpc/infer_call.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "server/rpc/infer_parameters.h"

namespace inferd {
namespace {

// Ids are echoed whole in replies; in messages so much of them is enough.
constexpr size_t kIdInMessage = 128;

// Puts the model's name into a message that does not have it.
absl::Status NamingModel(const absl::Status& status, const std::string& name) {
  if (absl::StrContains(status.message(), "model '")) return status;
  return Annotate(status, absl::StrCat("model '", name, "'"));
}

}  // namespace

absl::Status WithRequestId(const absl::Status& status, absl::string_view id) {
  if (status.ok()) return status;
  const absl::string_view shown = id.empty() ? "<id_unknown>" : id.substr(0, kIdInMessage);
  return absl::Status(status.code(), absl::StrCat("[request id: ", shown, "] ", status.message()));
}

void InferCall::Start(const inference::ModelInferRequest& request,
                      inference::ModelInferResponse* response, absl::Time received,
                      absl::Time deadline, Done done) {
  response_ = response;
  done_ = std::move(done);
  id_ = request.id();
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
  decoded->finish = [this] { Finish(std::move(status_)); };
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
  Done done = std::move(done_);
  done(WithRequestId(status, id_));
}

}  // namespace inferd
