#include "server/rpc/request_scan.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <string>

#include "proto/inference.pb.h"

namespace inferd {
namespace {

using inference::ModelInferRequest;

// `block` is the size of the pieces in which the scan sees the bytes.
absl::StatusOr<int64_t> Scan(const std::string& bytes, int block = -1) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()),
                                                block);
  return ScanRequest(&stream);
}

ModelInferRequest RawRequest(size_t data_bytes) {
  ModelInferRequest request;
  request.set_model_name("m");
  auto* input = request.add_inputs();
  input->set_name("X");
  input->set_datatype("UINT8");
  input->add_shape(static_cast<int64_t>(data_bytes));
  request.add_raw_input_contents(std::string(data_bytes, 'x'));
  return request;
}

// The bound must hold, and be no more than `slack` times what the message takes.
void ExpectBounds(const ModelInferRequest& request, double slack) {
  const std::string bytes = request.SerializeAsString();
  ModelInferRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  const auto bound = Scan(bytes);
  ASSERT_TRUE(bound.ok()) << bound.status();
  const auto used = static_cast<int64_t>(parsed.SpaceUsedLong());
  EXPECT_GE(*bound + int64_t{sizeof(ModelInferRequest)}, used);
  EXPECT_LE(static_cast<double>(*bound), slack * static_cast<double>(used));
}

TEST(RequestScan, RawDataTakesItsOwnSize) { ExpectBounds(RawRequest(1 << 20), 1.01); }

TEST(RequestScan, EmptyEntriesTakeFarMoreThanTheirBytes) {
  ModelInferRequest request;
  for (int i = 0; i < 1000; ++i) request.add_inputs();
  ExpectBounds(request, 4);
  request.Clear();
  for (int i = 0; i < 1000; ++i) request.add_raw_input_contents("");
  ExpectBounds(request, 4);
  request.Clear();
  for (int i = 0; i < 1000; ++i) request.add_outputs();
  ExpectBounds(request, 4);
}

TEST(RequestScan, PackedVarintsGrow) {
  ModelInferRequest request;
  auto* input = request.add_inputs();
  for (int i = 0; i < 100000; ++i) input->add_shape(1);
  ExpectBounds(request, 4);
  request.Clear();
  auto* contents = request.add_inputs()->mutable_contents();
  for (int i = 0; i < 100000; ++i) contents->add_int64_contents(1);
  ExpectBounds(request, 4);
  request.Clear();
  contents = request.add_inputs()->mutable_contents();
  for (int i = 0; i < 100000; ++i) contents->add_int_contents(1);
  ExpectBounds(request, 4);
}

TEST(RequestScan, StringElementsAndParametersAreCounted) {
  ModelInferRequest request;
  auto* contents = request.add_inputs()->mutable_contents();
  for (int i = 0; i < 10000; ++i) contents->add_bytes_contents("");
  ExpectBounds(request, 4);
  request.Clear();
  for (int i = 0; i < 1000; ++i) {
    (*request.mutable_parameters())[std::to_string(i)].set_bool_param(true);
  }
  ExpectBounds(request, 6);
}

TEST(RequestScan, FloatsTakeTheirOwnSize) {
  ModelInferRequest request;
  auto* contents = request.add_inputs()->mutable_contents();
  for (int i = 0; i < 100000; ++i) contents->add_fp32_contents(1);
  ExpectBounds(request, 1.1);
}

TEST(RequestScan, ReadsAMessageInPieces) {
  const std::string bytes = RawRequest(1000).SerializeAsString();
  for (const int block : {1, 2, 7, 64}) EXPECT_EQ(*Scan(bytes, block), *Scan(bytes)) << block;
}

TEST(RequestScan, RefusesATruncatedMessage) {
  const std::string bytes = RawRequest(100).SerializeAsString();
  for (size_t size = bytes.size() - 99; size < bytes.size(); ++size) {
    EXPECT_FALSE(Scan(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(RequestScan, RefusesLengthsPastTheEnd) {
  EXPECT_FALSE(Scan("\x3a\xff\xff\xff\xff\x07").ok());          // raw entry of 2 GiB
  EXPECT_FALSE(Scan("\x2a\xff\xff\xff\xff\xff\xff\x01").ok());  // a length of 50 bits
  EXPECT_FALSE(Scan("\x2a\x05\x0a\x7f").ok());                  // inner length beyond its message
}

TEST(RequestScan, RefusesGroups) { EXPECT_FALSE(Scan("\x0b\x0c").ok()); }

TEST(RequestScan, AnEmptyMessageTakesNothing) { EXPECT_EQ(*Scan(""), 0); }

}  // namespace
}  // namespace inferd
