#include "server/rpc/request_scan.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <limits>
#include <string>

#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"

namespace inferd {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using inference::InferTensorContents;
using inference::ModelInferRequest;

// What a field's bytes become: a message, elements of 1, 4 or 8 bytes, or a string.
enum class Kind { kRequest, kInput, kOutput, kParameter, kContents, kPacked4, kPacked8, kBytes };

// Memory of an empty entry: the object, its place in a list or map, and the allocator's share.
constexpr int64_t kScalarBytes = 16;
constexpr int64_t kStringBytes = 64;
constexpr int64_t kMessageBytes = 256;
// Packed varints take at least one byte each, and lists grow by doubling.
constexpr int64_t kListGrowth = 2;

Kind RequestField(int field) {
  switch (field) {
    case ModelInferRequest::kParametersFieldNumber:
      return Kind::kParameter;
    case ModelInferRequest::kInputsFieldNumber:
      return Kind::kInput;
    case ModelInferRequest::kOutputsFieldNumber:
      return Kind::kOutput;
    default:
      return Kind::kBytes;
  }
}

Kind InputField(int field) {
  switch (field) {
    case ModelInferRequest::InferInputTensor::kShapeFieldNumber:
      return Kind::kPacked8;
    case ModelInferRequest::InferInputTensor::kParametersFieldNumber:
      return Kind::kParameter;
    case ModelInferRequest::InferInputTensor::kContentsFieldNumber:
      return Kind::kContents;
    default:
      return Kind::kBytes;
  }
}

Kind ContentsField(int field) {
  switch (field) {
    case InferTensorContents::kBoolContentsFieldNumber:
    case InferTensorContents::kFp32ContentsFieldNumber:
    case InferTensorContents::kFp64ContentsFieldNumber:
    case InferTensorContents::kIntContentsFieldNumber:
    case InferTensorContents::kUintContentsFieldNumber:
      return Kind::kPacked4;
    case InferTensorContents::kInt64ContentsFieldNumber:
    case InferTensorContents::kUint64ContentsFieldNumber:
      return Kind::kPacked8;
    default:
      return Kind::kBytes;
  }
}

Kind FieldKind(Kind message, int field) {
  switch (message) {
    case Kind::kRequest:
      return RequestField(field);
    case Kind::kInput:
      return InputField(field);
    case Kind::kOutput:
      return field == ModelInferRequest::InferRequestedOutputTensor::kParametersFieldNumber
                 ? Kind::kParameter
                 : Kind::kBytes;
    case Kind::kContents:
      return ContentsField(field);
    default:
      return Kind::kBytes;
  }
}

// fp32 and fp64 never grow: their bytes on the wire are their bytes in memory.
bool IsFixedWidth(Kind message, int field) {
  return message == Kind::kContents && (field == InferTensorContents::kFp32ContentsFieldNumber ||
                                        field == InferTensorContents::kFp64ContentsFieldNumber);
}

absl::Status Malformed() {
  return absl::InvalidArgumentError("the request is not a ModelInferRequest message");
}

absl::StatusOr<int64_t> ScanMessage(Kind message, CodedInputStream* input);

// A length-delimited field whose length has been read.
absl::StatusOr<int64_t> ScanLengthDelimited(Kind message, int field, int length,
                                            CodedInputStream* input) {
  const Kind kind = FieldKind(message, field);
  if (kind == Kind::kBytes || kind == Kind::kPacked4 || kind == Kind::kPacked8) {
    if (!input->Skip(length)) return Malformed();
    if (kind == Kind::kBytes) return kStringBytes + length;
    if (IsFixedWidth(message, field)) return kScalarBytes + int64_t{length};
    return kScalarBytes + int64_t{length} * (kind == Kind::kPacked8 ? 8 : 4) * kListGrowth;
  }
  const CodedInputStream::Limit limit = input->PushLimit(length);
  ASSIGN_OR_RETURN(const int64_t bytes, ScanMessage(kind, input));
  if (input->BytesUntilLimit() != 0) return Malformed();
  input->PopLimit(limit);
  return kMessageBytes + bytes;
}

absl::StatusOr<int64_t> ScanMessage(Kind message, CodedInputStream* input) {
  int64_t bytes = 0;
  while (const uint32_t tag = input->ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_START_GROUP ||
          !WireFormatLite::SkipField(input, tag)) {
        return Malformed();
      }
      bytes += kScalarBytes;
      continue;
    }
    uint32_t length;
    if (!input->ReadVarint32(&length) ||
        length > static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) {
      return Malformed();
    }
    ASSIGN_OR_RETURN(const int64_t field_bytes,
                     ScanLengthDelimited(message, WireFormatLite::GetTagFieldNumber(tag),
                                         static_cast<int>(length), input));
    bytes += field_bytes;
  }
  return input->ConsumedEntireMessage() ? absl::StatusOr<int64_t>(bytes) : Malformed();
}

}  // namespace

absl::StatusOr<int64_t> ScanRequest(google::protobuf::io::ZeroCopyInputStream* stream) {
  CodedInputStream input(stream);
  input.SetTotalBytesLimit(std::numeric_limits<int32_t>::max());
  return ScanMessage(Kind::kRequest, &input);
}

}  // namespace inferd
