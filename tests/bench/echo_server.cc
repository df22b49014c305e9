// A bare gRPC callback server with the daemon's protocol, which copies inputs to outputs: what gRPC
// itself costs, for perf_analyzer to compare the daemon with. Usage: echo_server [--port PORT]
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>

#include "proto/inference.grpc.pb.h"

namespace {

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

constexpr int kMaxMessageBytes = 64 << 20;
constexpr char kModel[] = "identity";

Reactor* Ok(Context* context) {
  Reactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

// A model "identity": INPUT0 float32[-1,16] to OUTPUT0. Thread-safe.
class EchoService final : public inference::GRPCInferenceService::CallbackService {
 private:
  Reactor* ServerMetadata(Context* context, const inference::ServerMetadataRequest*,
                          inference::ServerMetadataResponse* response) override {
    response->set_name("echo");
    response->set_version("1");
    response->add_extensions("statistics");
    return Ok(context);
  }

  Reactor* ModelMetadata(Context* context, const inference::ModelMetadataRequest*,
                         inference::ModelMetadataResponse* response) override {
    response->set_name(kModel);
    response->add_versions("1");
    response->set_platform("echo");
    for (const bool is_input : {true, false}) {
      auto* tensor = is_input ? response->add_inputs() : response->add_outputs();
      tensor->set_name(is_input ? "INPUT0" : "OUTPUT0");
      tensor->set_datatype("FP32");
      tensor->add_shape(-1);
      tensor->add_shape(16);
    }
    return Ok(context);
  }

  Reactor* ModelConfig(Context* context, const inference::ModelConfigRequest*,
                       inference::ModelConfigResponse* response) override {
    auto* config = response->mutable_config();
    config->set_name(kModel);
    config->set_max_batch_size(32);
    config->mutable_dynamic_batching();
    auto* input = config->add_input();
    input->set_name("INPUT0");
    input->set_data_type(inference::TYPE_FP32);
    input->add_dims(16);
    auto* output = config->add_output();
    output->set_name("OUTPUT0");
    output->set_data_type(inference::TYPE_FP32);
    output->add_dims(16);
    return Ok(context);
  }

  Reactor* ModelStatistics(Context* context, const inference::ModelStatisticsRequest*,
                           inference::ModelStatisticsResponse* response) override {
    const uint64_t count = inferences_;
    auto* model = response->add_model_stats();
    model->set_name(kModel);
    model->set_version("1");
    model->set_inference_count(count);
    model->set_execution_count(count);
    auto* stats = model->mutable_inference_stats();
    for (auto* duration :
         {stats->mutable_success(), stats->mutable_queue(), stats->mutable_compute_input(),
          stats->mutable_compute_infer(), stats->mutable_compute_output()}) {
      duration->set_count(count);
      duration->set_ns(count);
    }
    return Ok(context);
  }

  Reactor* ModelInfer(Context* context, const inference::ModelInferRequest* request,
                      inference::ModelInferResponse* response) override {
    response->set_model_name(request->model_name());
    response->set_model_version("1");
    response->set_id(request->id());
    for (const auto& input : request->inputs()) {
      auto* output = response->add_outputs();
      output->set_name("OUTPUT0");
      output->set_datatype(input.datatype());
      *output->mutable_shape() = input.shape();
    }
    *response->mutable_raw_output_contents() = request->raw_input_contents();
    inferences_.fetch_add(1, std::memory_order_relaxed);
    return Ok(context);
  }

  std::atomic<uint64_t> inferences_{0};
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  const bool has_port = argc == 3 && std::string(argv[1]) == "--port";
  builder.AddListeningPort(std::string("127.0.0.1:") + (has_port ? argv[2] : "0"),
                           grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "echo_server: cannot listen\n");
    return 1;
  }
  std::printf("listening grpc=127.0.0.1:%d\n", port);
  std::fflush(stdout);
  int signal;
  sigwait(&signals, &signal);
  server->Shutdown();
  return 0;
}
