#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "config/engine_config.h"
#include "engine/core/mutex.h"
#include "engine/core/section_file.h"

namespace inferd {

// What a model keeps on disk from one start to the next: one SectionFile in the cache folder, named
// after everything that its contents depend on - the model file, this build, the processor, the
// config. Files of other keys are left alone until the folder is full; then those not used for
// longest go. Nothing here makes a load fail: what cannot be read is made again. Thread-safe.
class ModelCache {
 public:
  // `config` names the folder, which is made if need be. `model_identity` tells the model's file
  // from others.
  ModelCache(const EngineConfig& config, absl::string_view model_identity);

  // The file of an earlier start; null when there is none that can be used.
  const std::shared_ptr<const SectionFile>& file() const { return file_; }
  // What was found, for the log: a sentence.
  const std::string& report() const { return report_; }

  // Keeps `sections` for the next start, and those of the earlier file that are not among them as
  // long as the file stays within four times their size. Does nothing when nothing is new.
  absl::Status Save(std::vector<SectionFile::Section> sections);

 private:
  absl::Status MakeRoom(int64_t bytes);

  const std::string folder_;
  const int64_t max_bytes_;
  const std::string key_;
  const std::string path_;
  std::shared_ptr<const SectionFile> file_;
  std::string report_;
  Mutex saving_;
};

}  // namespace inferd
