#include "server/rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/health.pb.h"
#include "proto/inference.pb.h"
#include "proto/reflection.grpc.pb.h"
#include "proto/reflection_v1alpha.grpc.pb.h"
#include "server/rpc/grpc_status.h"

namespace inferd {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

// What this server serves. The generated descriptors know more files than these.
constexpr const char* kServices[] = {
    "inference.GRPCInferenceService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
};

void AddWithImports(const FileDescriptor& file, std::set<std::string>* seen,
                    grpc::reflection::v1::FileDescriptorResponse* response) {
  if (!seen->insert(file.name()).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddWithImports(*file.dependency(i), seen, response);
  }
}

// Answers with the file, if it is one that a served service needs.
absl::Status AnswerFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  std::set<std::string> served;
  grpc::reflection::v1::FileDescriptorResponse unused;
  for (const char* name : kServices) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(name);
    if (service != nullptr) AddWithImports(*service->file(), &served, &unused);
  }
  if (file == nullptr || served.count(file->name()) == 0) {
    return absl::NotFoundError("no such name among what is served");
  }
  std::set<std::string> seen;
  AddWithImports(*file, &seen, response->mutable_file_descriptor_response());
  return absl::OkStatus();
}

absl::Status AnswerExtensions(const std::string& type, ServerReflectionResponse* response) {
  if (DescriptorPool::generated_pool()->FindMessageTypeByName(type) == nullptr) {
    return absl::NotFoundError("no such message type");
  }
  response->mutable_all_extension_numbers_response()->set_base_type_name(type);
  return absl::OkStatus();
}

void Answer(const ServerReflectionRequest& request, ServerReflectionResponse* response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  response->Clear();
  response->set_valid_host(request.host());
  *response->mutable_original_request() = request;
  absl::Status status;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      for (const char* name : kServices) {
        response->mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      status = AnswerFile(pool.FindFileByName(request.file_by_filename()), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      status =
          AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      status = AnswerExtensions(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      status = absl::NotFoundError("what is served has no extensions");
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      status = absl::InvalidArgumentError("expected a question");
      break;
  }
  if (status.ok()) return;
  response->mutable_error_response()->set_error_code(static_cast<int>(status.code()));
  response->mutable_error_response()->set_error_message(std::string(status.message()));
}

// One stream of questions, answered one after the other. Deletes itself in OnDone(). Used by one
// thread at a time.
class Conversation final
    : public grpc::ServerBidiReactor<ServerReflectionRequest, ServerReflectionResponse> {
 public:
  explicit Conversation(const absl::Status& refusal) {
    if (refusal.ok()) {
      StartRead(&request_);
    } else {
      Finish(ToGrpcStatus(refusal));
    }
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    Answer(request_, &response_);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&request_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

  ServerReflectionRequest request_;
  ServerReflectionResponse response_;
};

// One version of the service. Thread-safe.
template <typename Version>
class Reflection final : public Version::CallbackService {
 public:
  explicit Reflection(const CallAccess& access) : access_(access) {}

 private:
  grpc::ServerBidiReactor<ServerReflectionRequest, ServerReflectionResponse>* ServerReflectionInfo(
      grpc::CallbackServerContext* context) override {
    return new Conversation(access_.Check(*context, ApiCategory::kMetadata));
  }

  const CallAccess access_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeReflection(const CallAccess& access) {
  return std::make_unique<Reflection<grpc::reflection::v1::ServerReflection>>(access);
}

std::unique_ptr<grpc::Service> MakeReflectionV1Alpha(const CallAccess& access) {
  return std::make_unique<Reflection<grpc::reflection::v1alpha::ServerReflection>>(access);
}

}  // namespace inferd
