#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/dnnl_kernel.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// A matrix product of a node's inputs 0 and 1 as oneDNN sees it: equal ranks of at least 2, batch
// dimensions equal or 1. A value type.
struct MatrixProduct {
  dnnl::memory::dims source;       // [batch..., M, K]
  dnnl::memory::dims weights;      // [batch..., K, N]
  dnnl::memory::dims destination;  // [batch..., M, N]
  // Stored as [K, M] or [N, K]; for rank 2 only.
  bool source_transposed = false;
  bool weights_transposed = false;
  int bias = -1;    // the node input that is a vector of N to add
  float scale = 1;  // of the product and bias, before the post-ops
  std::vector<PostOp> post_ops;
  // How the elements are stored; the product computes in the type of the source.
  dnnl::memory::data_type source_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type weights_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type bias_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type destination_type = dnnl::memory::data_type::f32;
  // In which order full-rank inputs and outputs must be stored for these dims to describe them.
  Layout layout = Layout::kRowMajor;
};

// Moves a leading addition of a row vector from the post-ops to the bias, unless there is a scale.
void TakeBias(MatrixProduct* product);

// The names of the ways to run `product`, that of a bound node, for ExecutionProvider::Candidates.
std::vector<std::string> ProductCandidates(const Graph& graph, const Node& node,
                                           const MatrixProduct& product);

// The kernel: the own one where it takes the product and context.candidate does not ask for
// oneDNN's. Element types are taken from the node and constant weights are packed. `text` precedes
// the kernel's name in the description.
absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareProduct(const Graph& graph, const Node& node,
                                                            const PrepareContext& context,
                                                            const MatrixProduct& product,
                                                            absl::string_view text = "");

}  // namespace inferd::cpu
