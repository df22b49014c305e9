// The importer on arbitrary bytes: it may refuse, and must do nothing else.
#include <cstddef>
#include <cstdint>

#include "engine/onnx/importer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto model = inferd::ImportOnnxBytes(bytes, "", int64_t{16} << 20);
  if (model.ok()) static_cast<void>(model->graph.ToString());
  return 0;
}
