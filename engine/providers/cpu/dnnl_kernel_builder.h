#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/dnnl_kernel.h"
#include "engine/providers/cpu/dnnl_types.h"

namespace inferd::cpu {

// What kernels of this provider get beside the general context.
struct CpuPrepareContext : PrepareContext {
  PrimitiveTable* primitives = nullptr;
  // Takes oneDNN's reference code, 1,000 times slower, where it has nothing else.
  bool allow_reference = false;

  // CpuProvider passes nothing else to its kernels.
  static const CpuPrepareContext& From(const PrepareContext& context) {
    return static_cast<const CpuPrepareContext&>(context);
  }
};

// Puts a DnnlKernel together: primitives from the table, packed constants from the store, reorders
// where a value is stored in another order than the primitive takes, scratch offsets.
// Used by one thread at a time, for one node.
class DnnlKernelBuilder {
 public:
  DnnlKernelBuilder(const Graph& graph, const Node& node, const PrepareContext& context);

  // Attributes with the caller's scratchpad, on which every primitive must be built.
  static dnnl::primitive_attr UserScratchpad();

  // The table's primitive under `key` and the thread count. `create` may throw dnnl::error.
  // UNIMPLEMENTED when all oneDNN has is reference code and that is not allowed.
  absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> Primitive(
      const std::string& key, absl::FunctionRef<DnnlPrimitive()> create);

  // Input `index` as it is stored.
  DnnlArgument Input(int id, int index, const dnnl::memory::desc& desc) const;
  // Full-rank input `index`, whose description in the order `wanted` is `desc`; a reorder into
  // scratch is added when it is stored in the other order.
  absl::StatusOr<DnnlArgument> Activation(int id, int index, const dnnl::memory::desc& desc,
                                          Layout wanted);
  // Input `index`, stored as `plain`, in the order `packed`: packed once when constant, else
  // reordered by every run.
  absl::StatusOr<DnnlArgument> Weights(int id, int index, const dnnl::memory::desc& plain,
                                       const dnnl::memory::desc& packed);
  // Output 0 in the order `wanted`; Build adds a reorder when it is stored in the other order.
  DnnlArgument Output(int id, const dnnl::memory::desc& desc, Layout wanted);
  // Arguments of the binary post-ops. `first` is the number of the first op in the primitive.
  absl::Status AppendOperands(const std::vector<PostOp>& ops, const PostOpDescs& descs,
                              Layout wanted, std::vector<DnnlArgument>* arguments);

  // Copies `from` to `to`, reordering where they differ.
  absl::Status AddReorder(DnnlArgument from, DnnlArgument to);
  void AddCall(std::shared_ptr<const DnnlPrimitive> primitive, std::vector<DnnlArgument> arguments);

  // The kernel described as "implementation+Relu".
  absl::StatusOr<std::unique_ptr<BoundKernel>> Build(absl::string_view implementation);

 private:
  absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> Reorder(const dnnl::memory::desc& from,
                                                               const dnnl::memory::desc& to);
  absl::Status Pack(const void* from, const dnnl::memory::desc& plain,
                    const dnnl::memory::desc& packed, void* to);
  DnnlArgument Temporary(int id, const dnnl::memory::desc& desc);
  Layout StoredLayout(ValueId value) const { return graph_.value(value).layout; }

  const Graph& graph_;
  const Node& node_;
  const CpuPrepareContext& context_;
  std::vector<DnnlCall> calls_;
  int64_t temporary_bytes_ = 0;
  bool output_reordered_ = false;
  DnnlArgument output_;  // what the last primitive writes, when that is reordered
  DnnlArgument stored_output_;
};

}  // namespace inferd::cpu
