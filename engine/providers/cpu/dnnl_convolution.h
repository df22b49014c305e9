#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/ops/convolution.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/dnnl_window.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// A bound Conv or ConvTranspose as oneDNN sees it: channels-last activations, weights packed as the
// primitive likes them, one spatial dimension lifted to two. A value type.
struct Convolution {
  bool transposed = false;
  DnnlWindow window;
  int64_t groups = 1;
  dnnl::memory::dims source;
  dnnl::memory::dims weights;         // [O,I,spatial], or [G,O/G,I/G,spatial] when grouped
  dnnl::memory::dims weight_strides;  // as the node's weights are stored
  dnnl::memory::dims destination;
  // How the elements are stored; the convolution computes in the type of the source.
  dnnl::memory::data_type source_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type weights_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type bias_type = dnnl::memory::data_type::f32;
  dnnl::memory::data_type destination_type = dnnl::memory::data_type::f32;
  bool has_bias = false;
  std::vector<PostOp> post_ops;
  // The post-op that adds a tensor of the output's shape: run as a sum into a copy of the tensor,
  // because oneDNN's best convolution takes no such operand otherwise. -1: none.
  int sum = -1;
};

// Whether oneDNN runs the Conv or ConvTranspose `node`, epilogue included, whatever is bound.
bool SupportsConvolution(const Graph& graph, const Node& node, bool transposed);

// Requires a bound node that SupportsConvolution accepts.
absl::StatusOr<Convolution> DescribeConvolution(const Graph& graph, const Node& node,
                                                bool transposed);

// Whether own kernels, which read and write channels-last floats and pack their weights, can take
// the bound node; where `narrow` is set also one whose activations are bfloat16.
bool TakesOwnConvolution(const Graph& graph, const Node& node, bool narrow = false);

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareConvolution(const Graph& graph,
                                                                const Node& node,
                                                                const PrepareContext& context,
                                                                const Convolution& conv);

}  // namespace inferd::cpu
