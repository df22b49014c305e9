#include "engine/onnx/model_reader.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace inferd {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Field numbers of onnx.proto.
constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphInitializer = 5;
constexpr uint32_t kTensorRawData = 9;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// More than any model has; a small file of empty nodes must not fill the memory.
constexpr int kMaxGraphEntries = 4'000'000;

uint32_t Field(uint32_t tag) { return tag >> 3; }
WireType Type(uint32_t tag) { return static_cast<WireType>(tag & 7); }
bool IsMessage(uint32_t tag, uint32_t field) { return Field(tag) == field && Type(tag) == kBytes; }

// Copies one field, whose tag was just read, from `in` to `out`. False when malformed.
bool CopyField(uint32_t tag, CodedInputStream& in, CodedOutputStream& out) {
  out.WriteTag(tag);
  switch (Type(tag)) {
    case kVarint: {
      uint64_t value;
      if (!in.ReadVarint64(&value)) return false;
      out.WriteVarint64(value);
      return true;
    }
    case kFixed64: {
      uint64_t value;
      if (!in.ReadLittleEndian64(&value)) return false;
      out.WriteLittleEndian64(value);
      return true;
    }
    case kFixed32: {
      uint32_t value;
      if (!in.ReadLittleEndian32(&value)) return false;
      out.WriteLittleEndian32(value);
      return true;
    }
    case kBytes: {
      int length;
      std::string bytes;
      if (!in.ReadVarintSizeAsInt(&length) || !in.ReadString(&bytes, length)) return false;
      out.WriteVarint32(static_cast<uint32_t>(length));
      out.WriteString(bytes);
      return true;
    }
  }
  return false;
}

// Walks a model's wire format: what is not an initializer's raw_data goes to protobuf's parser.
class ModelWalker {
 public:
  explicit ModelWalker(CodedInputStream& in) : in_(in) {}

  bool ReadModel(RawModel* model) {
    std::string rest;
    const bool ok = ReadMessage(&rest, [&](uint32_t tag, CodedOutputStream& out) {
      return IsMessage(tag, kModelGraph) ? ReadGraph(model) : CopyField(tag, in_, out);
    });
    return ok && model->proto.MergeFromString(rest);
  }

 private:
  // Calls read_field for each field up to the current limit; it may write to `rest`.
  template <typename ReadField>
  bool ReadMessage(std::string* rest, ReadField read_field) {
    StringOutputStream stream(rest);
    CodedOutputStream out(&stream);
    while (const uint32_t tag = in_.ReadTag()) {
      if (!read_field(tag, out)) return false;
    }
    return in_.ConsumedEntireMessage();
  }

  template <typename Read>
  bool ReadLimited(Read read) {
    int length;
    if (!in_.ReadVarintSizeAsInt(&length)) return false;
    const auto limit = in_.PushLimit(length);
    // A limit past the enclosing one is cut to that: the length was a lie.
    if (in_.BytesUntilLimit() != length) return false;
    const int end = in_.CurrentPosition() + length;
    if (!read() || in_.CurrentPosition() != end) return false;
    in_.PopLimit(limit);
    return true;
  }

  bool ReadGraph(RawModel* model) {
    ::onnx::GraphProto& graph = *model->proto.mutable_graph();
    std::string rest;
    const bool ok = ReadLimited([&] {
      return ReadMessage(&rest, [&](uint32_t tag, CodedOutputStream& out) {
        if (++entries_ > kMaxGraphEntries) return false;
        if (!IsMessage(tag, kGraphInitializer)) return CopyField(tag, in_, out);
        model->raw_data.emplace_back();
        return ReadTensor(graph.add_initializer(), &model->raw_data.back());
      });
    });
    return ok && graph.MergeFromString(rest);
  }

  bool ReadTensor(::onnx::TensorProto* tensor, ByteRange* raw_data) {
    std::string rest;
    const bool ok = ReadLimited([&] {
      return ReadMessage(&rest, [&](uint32_t tag, CodedOutputStream& out) {
        if (!IsMessage(tag, kTensorRawData)) return CopyField(tag, in_, out);
        int length;
        if (!in_.ReadVarintSizeAsInt(&length)) return false;
        *raw_data = {in_.CurrentPosition(), length};
        return in_.Skip(length);
      });
    });
    return ok && tensor->ParseFromString(rest);
  }

  CodedInputStream& in_;
  int entries_ = 0;
};

}  // namespace

absl::StatusOr<RawModel> ReadModel(const ByteSource& source, int64_t max_bytes) {
  constexpr int64_t kProtobufLimit = std::numeric_limits<int>::max();
  if (source.size() > std::min(max_bytes, kProtobufLimit)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the model has ", source.size(), " bytes; the limit is ",
                     std::min(max_bytes, kProtobufLimit),
                     " (larger models keep their weights in external data)"));
  }
  if (source.size() == 0) return absl::InvalidArgumentError("the model file is empty");
  RawModel model;
  const auto stream = source.Stream();
  CodedInputStream in(stream.get());
  const auto limit = in.PushLimit(static_cast<int>(source.size()));
  const bool ok = ModelWalker(in).ReadModel(&model);
  in.PopLimit(limit);
  if (!ok) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a valid ONNX model: the protobuf is malformed or cut short near byte ",
                     in.CurrentPosition(), " of ", source.size()));
  }
  return model;
}

}  // namespace inferd
