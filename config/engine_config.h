#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inferd {

enum class Precision { kFloat32, kBfloat16, kFloat16, kInt8, kAuto };

// Everything the engine may be told; checked before it gets here. A value type.
struct EngineConfig {
  // Core slots: how many executions run at once. 0 = as many cores as the cgroup quota gives.
  int core_slots = 0;
  // OpenMP threads of one slot.
  int threads_per_slot = 1;
  Precision precision = Precision::kFloat32;
  // With kAuto: how far answers may be off for an arithmetic narrower than floats, as the root of
  // the mean square of the differences by that of the answers.
  double max_precision_error = 0.01;
  // Providers in the order in which they claim nodes; "portable" is always tried last.
  std::vector<std::string> providers = {"cpu"};
  // Shared libraries of operators beside the built-in ones (engine/ops/custom/inferd_custom_op.h).
  // Their code runs in this process.
  std::vector<std::string> custom_op_libraries;
  // "none", "basic" or "all".
  std::string optimization_level = "all";
  // Passes switched off by name.
  std::vector<std::string> disabled_passes;
  // Outputs that are a map from class to score for every row become score matrices with
  // TensorInfo::class_names, which a protocol of tensors can carry.
  bool maps_as_scores = false;
  // Plans kept per model, one per bound shape; least recently used go first.
  int max_plans = 64;
  // Bytes one plan's arena, and any one dynamic tensor, may take.
  int64_t max_arena_bytes = int64_t{4} << 30;
  // Bytes that a model may take of a device's memory; 0: all there is.
  int64_t max_device_bytes = 0;
  // The devices that a model is put on, by their numbers; empty: all that there are.
  std::vector<int> device_ordinals;
  // Whether it is an error that no provider has devices.
  bool needs_device = false;
  // How many executions one device runs at once; 0: any number.
  int executions_per_device = 0;
  // Of the one device that a provider is made for.
  int device_ordinal = 0;
  // Devices may round what they multiply as floats to TF32, ten bits of fraction.
  bool tf32 = false;
  // When a device is lost, models go on in host memory instead of failing until a restart.
  bool device_fallback = true;
  // Bytes the model file with its external data may take.
  int64_t max_model_bytes = int64_t{16} << 30;
  // Core time that may go into measuring which of several kernels runs a step fastest, per model.
  // 0: nothing is measured, but what is known from an earlier start is used.
  double tuning_seconds = 10;
  // Kernels are chosen by rule alone, so that the same build on the same processor gives the same
  // bits at every start.
  bool deterministic = false;
  // The folder for what makes the next start quick (packed weights); empty: nothing is kept. Only
  // this user may write there: its files are mapped.
  std::string cache_dir;
  // Bytes that folder may take; the files not used for longest go.
  int64_t max_cache_bytes = int64_t{32} << 30;
};

}  // namespace inferd
