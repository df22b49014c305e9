#include "engine/providers/cpu/dnnl_types.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd::cpu {

using dnnl::memory;

const dnnl::engine& DnnlEngine() {
  // Never destroyed: kernels may outlive static destruction.
  static const dnnl::engine* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

memory::data_type DnnlDataType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return memory::data_type::f32;
    case DType::kBfloat16:
      return memory::data_type::bf16;
    case DType::kInt8:
      return memory::data_type::s8;
    case DType::kUint8:
      return memory::data_type::u8;
    case DType::kInt32:
      return memory::data_type::s32;
    default:
      return memory::data_type::undef;
  }
}

memory::desc DenseDesc(const memory::dims& dims, memory::data_type type, Layout layout) {
  using tag = memory::format_tag;
  static constexpr tag kRowMajorTags[] = {tag::a,    tag::ab,    tag::abc,
                                          tag::abcd, tag::abcde, tag::abcdef};
  static constexpr tag kChannelsLastTags[] = {tag::acb, tag::acdb, tag::acdeb};
  const size_t rank = dims.size();
  if (layout == Layout::kChannelsLast && rank >= 3 && rank <= 5) {
    return memory::desc(dims, type, kChannelsLastTags[rank - 3]);
  }
  return memory::desc(dims, type, kRowMajorTags[rank - 1]);
}

memory::desc TransposedDesc(const memory::dims& dims, memory::data_type type) {
  return memory::desc(dims, type, memory::format_tag::ba);
}

memory::dims ToDims(const Shape& shape) {
  return memory::dims(shape.dims().begin(), shape.dims().end());
}

bool SameOrder(const Shape& shape, Layout a, Layout b) {
  if (a == b || shape.rank() < 3) return true;
  const bool one_channel = shape[1] == 1;
  return one_channel || shape.Product(2, shape.rank()) == 1;
}

std::string DescKey(const memory::desc& desc) {
  const dnnl_memory_desc_t& md = desc.data;
  const auto list = [&](const int64_t* values, int count) {
    return absl::StrJoin(absl::MakeConstSpan(values, count), ",");
  };
  std::string key = absl::StrCat(md.data_type, ":", list(md.dims, md.ndims), ":", md.format_kind,
                                 ":", md.offset0);
  if (md.format_kind == dnnl_blocked) {
    const auto& blocks = md.format_desc.blocking;
    absl::StrAppend(&key, ":", list(md.padded_dims, md.ndims), ":", list(blocks.strides, md.ndims),
                    ":", list(blocks.inner_blks, blocks.inner_nblks), ":",
                    list(blocks.inner_idxs, blocks.inner_nblks));
  }
  if (md.extra.flags != 0) {
    absl::StrAppend(&key, ":", md.extra.flags, ",", md.extra.compensation_mask, ",",
                    md.extra.scale_adjust, ",", md.extra.asymm_compensation_mask);
  }
  return key;
}

absl::Status DnnlError(const dnnl::error& error, absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": oneDNN: ", error.what()));
}

}  // namespace inferd::cpu
