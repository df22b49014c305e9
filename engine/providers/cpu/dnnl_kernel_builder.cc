#include "engine/providers/cpu/dnnl_kernel_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"

namespace inferd::cpu {
namespace {

using Source = DnnlArgument::Source;

Layout Other(Layout layout) {
  return layout == Layout::kRowMajor ? Layout::kChannelsLast : Layout::kRowMajor;
}

DnnlArgument WithId(DnnlArgument argument, int id) {
  argument.id = id;
  return argument;
}

}  // namespace

DnnlKernelBuilder::DnnlKernelBuilder(const Graph& graph, const Node& node,
                                     const PrepareContext& context)
    : graph_(graph), node_(node), context_(CpuPrepareContext::From(context)) {}

dnnl::primitive_attr DnnlKernelBuilder::UserScratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> DnnlKernelBuilder::Primitive(
    const std::string& key, absl::FunctionRef<DnnlPrimitive()> create) {
  const auto guarded = [&] {
    return CatchDnnl(key, [&] { return absl::StatusOr<DnnlPrimitive>(create()); });
  };
  ASSIGN_OR_RETURN(auto primitive, context_.primitives->GetOrCreate(
                                       absl::StrCat(key, "|threads", context_.threads), guarded));
  if (absl::StartsWith(primitive->implementation, "ref") && !context_.allow_reference) {
    return absl::UnimplementedError(absl::StrCat(key, ": oneDNN has only reference code"));
  }
  return primitive;
}

DnnlArgument DnnlKernelBuilder::Input(int id, int index, const dnnl::memory::desc& desc) const {
  return {.id = id, .desc = desc, .source = Source::kInput, .index = index};
}

absl::StatusOr<DnnlArgument> DnnlKernelBuilder::Activation(int id, int index,
                                                           const dnnl::memory::desc& desc,
                                                           Layout wanted) {
  const Value& value = graph_.value(node_.inputs[index]);
  if (SameOrder(value.type.shape.ToShape(), value.layout, wanted)) return Input(id, index, desc);
  const auto stored = DenseDesc(desc.dims(), desc.data_type(), Other(wanted));
  DnnlArgument reordered = Temporary(id, desc);
  RETURN_IF_ERROR(AddReorder(Input(0, index, stored), reordered));
  return reordered;
}

absl::StatusOr<DnnlArgument> DnnlKernelBuilder::Weights(int id, int index,
                                                        const dnnl::memory::desc& plain,
                                                        const dnnl::memory::desc& packed) {
  if (plain == packed) return Input(id, index, plain);
  const Tensor* constant = graph_.constant(node_.inputs[index]);
  if (constant == nullptr) {
    DnnlArgument reordered = Temporary(id, packed);
    RETURN_IF_ERROR(AddReorder(Input(0, index, plain), reordered));
    return reordered;
  }
  const std::string layout = absl::StrCat("dnnl ", DescKey(plain), " > ", DescKey(packed));
  WeightStore private_store;
  WeightStore& store = context_.weights == nullptr ? private_store : *context_.weights;
  DnnlArgument argument{.id = id, .desc = packed, .source = Source::kPacked, .index = index};
  ASSIGN_OR_RETURN(argument.packed,
                   store.GetOrPack(*constant, layout, static_cast<int64_t>(packed.get_size()),
                                   [&](void* to) -> absl::Status {
                                     ASSIGN_OR_RETURN(const auto from,
                                                      store.buffers().Read(*constant));
                                     return Pack(from.get(), plain, packed, to);
                                   }));
  return argument;
}

DnnlArgument DnnlKernelBuilder::Output(int id, const dnnl::memory::desc& desc, Layout wanted) {
  const Value& value = graph_.value(node_.outputs[0]);
  stored_output_ = {.id = id, .desc = desc, .source = Source::kOutput, .index = 0};
  output_reordered_ = !SameOrder(value.type.shape.ToShape(), value.layout, wanted);
  if (!output_reordered_) return stored_output_;
  stored_output_.desc = DenseDesc(desc.dims(), desc.data_type(), Other(wanted));
  output_ = Temporary(id, desc);
  return output_;
}

absl::Status DnnlKernelBuilder::AppendOperands(const std::vector<PostOp>& ops,
                                               const PostOpDescs& descs, Layout wanted,
                                               std::vector<DnnlArgument>* arguments) {
  for (size_t i = 0; i < ops.size(); ++i) {
    const PostOp& op = ops[i];
    if (op.kind == PostOp::Kind::kEltwise) continue;
    const int id = DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1;
    if (op.kind == PostOp::Kind::kSameShape) {
      ASSIGN_OR_RETURN(DnnlArgument operand, Activation(id, op.operand, descs.Of(op), wanted));
      arguments->push_back(std::move(operand));
    } else {
      arguments->push_back(Input(id, op.operand, descs.Of(op)));
    }
  }
  return absl::OkStatus();
}

absl::Status DnnlKernelBuilder::AddReorder(DnnlArgument from, DnnlArgument to) {
  ASSIGN_OR_RETURN(auto primitive, Reorder(from.desc, to.desc));
  AddCall(std::move(primitive),
          {WithId(std::move(from), DNNL_ARG_FROM), WithId(std::move(to), DNNL_ARG_TO)});
  return absl::OkStatus();
}

void DnnlKernelBuilder::AddCall(std::shared_ptr<const DnnlPrimitive> primitive,
                                std::vector<DnnlArgument> arguments) {
  calls_.push_back({std::move(primitive), std::move(arguments)});
}

absl::StatusOr<std::unique_ptr<BoundKernel>> DnnlKernelBuilder::Build(
    absl::string_view implementation) {
  if (output_reordered_) RETURN_IF_ERROR(AddReorder(output_, stored_output_));
  // Scratchpads are used by one primitive at a time, so they share what follows the temporaries.
  int64_t scratchpad_bytes = 0;
  for (DnnlCall& call : calls_) {
    const dnnl::memory::desc& desc = call.primitive->scratchpad;
    const auto bytes = static_cast<int64_t>(desc.get_size());
    if (bytes == 0) continue;
    scratchpad_bytes = std::max(scratchpad_bytes, bytes);
    call.arguments.push_back({.id = DNNL_ARG_SCRATCHPAD,
                              .desc = desc,
                              .source = Source::kScratch,
                              .scratch_offset = temporary_bytes_});
  }
  return std::make_unique<DnnlKernel>(std::move(calls_), temporary_bytes_ + scratchpad_bytes,
                                      absl::StrCat(implementation, EpilogueText(node_)));
}

absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> DnnlKernelBuilder::Reorder(
    const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  const std::string key = absl::StrCat("reorder ", DescKey(from), " > ", DescKey(to));
  const auto create = [&]() -> absl::StatusOr<DnnlPrimitive> {
    return CatchDnnl(key, [&]() -> absl::StatusOr<DnnlPrimitive> {
      const dnnl::reorder::primitive_desc pd(DnnlEngine(), from, DnnlEngine(), to,
                                             UserScratchpad());
      return DnnlPrimitive{.primitive = dnnl::reorder(pd),
                           .scratchpad = pd.scratchpad_desc(),
                           .implementation = pd.impl_info_str()};
    });
  };
  return context_.primitives->GetOrCreate(absl::StrCat(key, "|threads", context_.threads), create);
}

absl::Status DnnlKernelBuilder::Pack(const void* from, const dnnl::memory::desc& plain,
                                     const dnnl::memory::desc& packed, void* to) {
  ASSIGN_OR_RETURN(const auto primitive, Reorder(plain, packed));
  return CatchDnnl("packing weights", [&] {
    const dnnl::engine& engine = DnnlEngine();
    dnnl::stream stream(engine);
    dnnl::memory scratchpad(primitive->scratchpad, engine);
    primitive->primitive.execute(
        stream, {{DNNL_ARG_FROM, dnnl::memory(plain, engine, const_cast<void*>(from))},
                 {DNNL_ARG_TO, dnnl::memory(packed, engine, to)},
                 {DNNL_ARG_SCRATCHPAD, scratchpad}});
    stream.wait();
    return absl::OkStatus();
  });
}

DnnlArgument DnnlKernelBuilder::Temporary(int id, const dnnl::memory::desc& desc) {
  DnnlArgument argument{
      .id = id, .desc = desc, .source = Source::kScratch, .scratch_offset = temporary_bytes_};
  temporary_bytes_ += RoundUp(static_cast<int64_t>(desc.get_size()), 64);
  return argument;
}

}  // namespace inferd::cpu
