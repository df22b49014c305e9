#include "config/model_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<ModelOptions> options = ParseModelOptions(text, "m");
  return options.ok() ? "OK" : std::string(options.status().message());
}

TEST(ModelOptions, GivesDefaultsForNoText) {
  const ModelOptions options = ParseModelOptions("", "m").value();
  EXPECT_EQ(options.model_filename, "model.onnx");
  EXPECT_FALSE(options.configured_max_batch_size.has_value());
  EXPECT_EQ(options.max_queue_requests, 1024);
  EXPECT_EQ(options.version_policy.kind, VersionPolicy::Kind::kLatest);
  EXPECT_EQ(options.version_policy.count, 1);
}

TEST(ModelOptions, ReadsWhatExistingConfigsSay) {
  const absl::StatusOr<ModelOptions> options = ParseModelOptions(R"(
      name: "m"
      platform: "onnxruntime_onnx"
      max_batch_size: 16
      input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, -1 ] } ]
      output [ { name: "y" data_type: TYPE_FP32 dims: [ 10 ] } ]
      instance_group [ { count: 2 kind: KIND_CPU } ]
      dynamic_batching {
        preferred_batch_size: [ 8, 4 ]
        max_queue_delay_microseconds: 500
        priority_levels: 2
        default_priority_level: 2
        default_queue_policy { default_timeout_microseconds: 1000 max_queue_size: 7 }
      }
      version_policy { specific { versions: [ 3, 1, 3 ] } }
      default_model_filename: "net.onnx"
      parameters { key: "intra_op_thread_count" value { string_value: "1" } })",
                                                                 "m");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->configured_max_batch_size, 16);
  EXPECT_THAT(options->preferred_batch_sizes, ElementsAre(4, 8));
  EXPECT_EQ(options->max_queue_delay, absl::Microseconds(500));
  EXPECT_EQ(options->default_queue_timeout, absl::Milliseconds(1));
  EXPECT_FALSE(options->allow_timeout_override);
  EXPECT_EQ(options->max_queue_requests, 7);
  EXPECT_EQ(options->priority_levels, 2u);
  EXPECT_THAT(options->version_policy.versions, ElementsAre(1, 3));
  EXPECT_EQ(options->model_filename, "net.onnx");
  EXPECT_THAT(options->notes,
              ElementsAre(HasSubstr("instance_group"), HasSubstr("intra_op_thread_count")));
}

TEST(ModelOptions, ReadThePrecisionFromTheParameters) {
  const auto options =
      ParseModelOptions(R"(parameters { key: "precision" value { string_value: "bf16" } })", "m");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->precision, Precision::kBfloat16);
  EXPECT_TRUE(options->notes.empty());
  EXPECT_EQ(ParseModelOptions("", "m")->precision, Precision::kFloat32);
  EXPECT_THAT(ErrorOf(R"(parameters { key: "precision" value { string_value: "fp8" } })"),
              HasSubstr("precision: expected 'fp32', 'bf16', 'fp16', 'int8' or 'auto', got 'fp8'"));
}

TEST(ModelOptions, ReadTheAllowedErrorOfANarrowerPrecision) {
  const auto with = [](const std::string& text) {
    return "parameters { key: \"precision_error\" value { string_value: \"" + text + "\" } }";
  };
  EXPECT_EQ(ParseModelOptions(with("0.25"), "m")->max_precision_error, 0.25);
  EXPECT_TRUE(ParseModelOptions(with("0.25"), "m")->notes.empty());
  for (const std::string text : {"", "a lot", "-0.1", "1.5", "nan"}) {
    EXPECT_THAT(ErrorOf(with(text)),
                HasSubstr("precision_error: expected a number from 0 to 1, got '" + text + "'"));
  }
}

TEST(ModelOptions, TellsAnExplicitZeroFromNothing) {
  EXPECT_EQ(ParseModelOptions("max_batch_size: 0", "m")->configured_max_batch_size, 0);
}

TEST(ModelOptions, NamesLineAndColumnOfASyntaxError) {
  EXPECT_THAT(ErrorOf("name: \"m\"\nmax_batch_size: many"), HasSubstr("line 2, column 17"));
  EXPECT_THAT(ErrorOf("\n\n  nonsense: 1"), HasSubstr("line 3"));
  EXPECT_THAT(ErrorOf("input {"), HasSubstr("line 1"));
}

TEST(ModelOptions, RefusesValuesOutOfRange) {
  EXPECT_THAT(ErrorOf("name: \"other\""), HasSubstr("expected 'm'"));
  EXPECT_THAT(ErrorOf("max_batch_size: -1"), HasSubstr("max_batch_size"));
  EXPECT_THAT(ErrorOf("max_batch_size: 1000000"), HasSubstr("got 1000000"));
  EXPECT_THAT(ErrorOf("platform: \"tensorrt_plan\""), HasSubstr("tensorrt_plan"));
  EXPECT_THAT(ErrorOf("backend: \"python\""), HasSubstr("python"));
  EXPECT_THAT(ErrorOf("input { name: \"x\" dims: -2 }"), HasSubstr("got -2"));
  EXPECT_THAT(ErrorOf("input { dims: 1 }"), HasSubstr("expected a name"));
  EXPECT_THAT(ErrorOf("input { name: \"x\" } input { name: \"x\" }"), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf("version_policy { specific { } }"), HasSubstr("at least one"));
  EXPECT_THAT(ErrorOf("version_policy { specific { versions: 0 } }"), HasSubstr("positive"));
  EXPECT_THAT(ErrorOf("max_batch_size: 4 dynamic_batching { preferred_batch_size: 5 }"),
              HasSubstr("expected 1 to 4, got 5"));
  EXPECT_THAT(ErrorOf("dynamic_batching { max_queue_delay_microseconds: 99999999999 }"),
              HasSubstr("one hour"));
  EXPECT_THAT(ErrorOf("dynamic_batching { priority_levels: 2 }"), HasSubstr("1 to 2"));
}

TEST(ModelOptions, KeepsTheModelFileInItsFolder) {
  for (const char* name : {"../model.onnx", "/etc/passwd", "a/b.onnx", "..", "."}) {
    EXPECT_THAT(ErrorOf(absl::StrCat("default_model_filename: \"", name, "\"")),
                HasSubstr("default_model_filename"));
  }
}

TEST(ModelOptions, NamesBlocksThatItDoesNotRun) {
  for (const char* text :
       {"sequence_batching { }", "ensemble_scheduling { }", "response_cache { enable: true }",
        "model_transaction_policy { decoupled: true }", "batch_input { }",
        "input { name: \"x\" allow_ragged_batch: true }",
        "instance_group [ { kind: KIND_GPU }, { kind: KIND_CPU } ]",
        "instance_group [ { gpus: 0 count: 1 }, { gpus: 1 count: 2 } ]",
        "input { name: \"x\" reshape { shape: 1 } }",
        "model_repository_agents { agents { name: \"checksum\" } }"}) {
    const absl::StatusOr<ModelOptions> options = ParseModelOptions(text, "m");
    EXPECT_EQ(options.status().code(), absl::StatusCode::kUnimplemented) << text;
  }
}

TEST(ModelOptions, ChecksModelNames) {
  EXPECT_TRUE(CheckModelName("resnet-50_v1.5").ok());
  for (const char* name : {"", ".", "..", ".git", "a/b", "a b", "a\n"}) {
    EXPECT_FALSE(CheckModelName(name).ok()) << name;
  }
  EXPECT_FALSE(CheckModelName(std::string(256, 'a')).ok());
}

TEST(ModelOptions, PutAModelOnTheGpusOfItsInstanceGroups) {
  ModelOptions options =
      ParseModelOptions("instance_group [ { gpus: [1, 3] count: 2 kind: KIND_GPU } ]", "m").value();
  EXPECT_TRUE(options.on_devices);
  EXPECT_THAT(options.device_ordinals, ElementsAre(1, 3));
  EXPECT_EQ(options.executions_per_device, 2);
  EXPECT_TRUE(options.notes.empty());
  options = ParseModelOptions("instance_group [ { gpus: 0 }, { gpus: 2 } ]", "m").value();
  EXPECT_THAT(options.device_ordinals, ElementsAre(0, 2));
  EXPECT_EQ(options.executions_per_device, 1);
  options = ParseModelOptions("instance_group { kind: KIND_GPU count: 3 }", "m").value();
  EXPECT_TRUE(options.on_devices);
  EXPECT_TRUE(options.device_ordinals.empty());
  EXPECT_EQ(options.executions_per_device, 3);
  options = ParseModelOptions("instance_group { kind: KIND_CPU }", "m").value();
  EXPECT_TRUE(options.on_host);
  EXPECT_FALSE(options.on_devices);
}

TEST(ModelOptions, RefuseGpusThatMakeNoSense) {
  for (const char* text :
       {"instance_group { gpus: -1 }", "instance_group { gpus: [1, 1] }",
        "instance_group { kind: KIND_CPU gpus: 0 }", "instance_group { gpus: 0 count: -1 }",
        "instance_group [ { kind: KIND_GPU }, { gpus: 0 } ]"}) {
    EXPECT_EQ(ParseModelOptions(text, "m").status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace inferd
