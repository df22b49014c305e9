#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// One node with its operands, run through the CPU provider as a plan would and through the portable
// kernel. The graph is public, so that a test can change what it needs. Used by one thread at a
// time.
class ProviderCase {
 public:
  explicit ProviderCase(const std::string& op, Attributes attributes = Attributes());

  // Operands in the operator's order.
  ProviderCase& Input(Tensor tensor);
  ProviderCase& Constant(Tensor tensor);
  ProviderCase& Absent();
  // Epilogue steps; the operand of a binary one follows the node's inputs.
  ProviderCase& Then(const std::string& op, Attributes attributes = Attributes());
  ProviderCase& ThenWith(const std::string& op, Tensor operand, bool constant = false,
                         bool operand_first = false);
  // Stores every full-rank value row-major, whatever the provider asks for.
  ProviderCase& KeepRowMajor();

  // Infers the output. Called by the others when needed.
  absl::Status Bind();
  bool Supported(const ExecutionProvider& provider);
  // The provider's output, row-major, and its kernel.
  absl::StatusOr<Tensor> Run(ExecutionProvider& provider, const PrepareContext& context);
  absl::StatusOr<Tensor> Expected();
  // Runs both; the largest difference must be at most `tolerance` of the largest magnitude, and the
  // implementation none of oneDNN's reference ones. Returns the kernel's description.
  std::string ExpectAgrees(double tolerance = 2e-6);
  // The same with a kernel of another provider.
  std::string ExpectAgreesOn(ExecutionProvider& provider, double tolerance = 2e-6);

  Graph& graph() { return graph_; }
  Node& node() { return graph_.node(node_id_); }
  const BoundKernel* kernel() const { return kernel_.get(); }
  // Asks for this many threads.
  int threads = 1;

 private:
  void Add(Tensor tensor, bool constant);
  void AssignLayouts(const ExecutionProvider& provider);

  Graph graph_;
  Node pending_;
  NodeId node_id_ = kNoNode;
  std::vector<Tensor> operands_;  // row-major, in the order of the node's inputs
  bool keep_row_major_ = false;
  std::shared_ptr<const BoundKernel> kernel_;
};

// A provider with one kernel, made by a function, for nodes whose values are channels-last.
class OneKernelProvider : public ExecutionProvider {
 public:
  using PrepareFn = std::function<absl::StatusOr<std::unique_ptr<BoundKernel>>(
      const Graph& graph, const Node& node, const PrepareContext& context)>;
  explicit OneKernelProvider(PrepareFn prepare) : prepare_(std::move(prepare)) {}

  absl::string_view name() const override { return "one kernel"; }
  bool Supports(const Graph&, const Node&) const override { return true; }
  LayoutPreference Layouts(const Graph&, const Node&) const override {
    return LayoutPreference::kChannelsLast;
  }
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                       const PrepareContext& context) override {
    return prepare_(graph, node, context);
  }

 private:
  const PrepareFn prepare_;
};

// Attributes from a list: {{"strides", Ints({2, 2})}, {"alpha", 0.5f}}.
Attributes AttributesOf(std::initializer_list<std::pair<std::string, Attributes::Value>> values);
std::vector<int64_t> Ints(std::initializer_list<int64_t> values);

}  // namespace inferd::cpu
