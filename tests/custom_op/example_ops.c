/* A library of operators, in C, as its author would write it. Both belong to the domain
 * "com.example".
 *
 *   Hypot(a, b): sqrt(a^2 + b^2) * scale, element by element, float; attribute scale (1.0).
 *   CountWords(text): for each string the number of its words, parted by one of the characters of
 *   the attribute "separators" (" "); int64.
 */
#include <math.h>
#include <string.h>

#include "engine/ops/custom/inferd_custom_op.h"

#define FLOAT32 1
#define INT64 7

static int hypot_shapes(const InferdHost* host, const InferdNode* node, InferdShapeCall* call) {
  (void)node;
  InferdTensorType a, b;
  if (!host->input_type(call, 0, &a) || !host->input_type(call, 1, &b)) return 1;
  if (a.dtype != FLOAT32 || b.dtype != FLOAT32) {
    host->fail_shape(call, "Hypot takes float32");
    return 1;
  }
  return host->set_output_type(call, 0, &a) ? 0 : 1;
}

static int hypot_run(const InferdHost* host, const InferdNode* node, InferdRunCall* call) {
  InferdTensor a, b;
  void* data;
  float scale = 1.0f;
  host->float_attribute(node, "scale", &scale);
  if (!host->input(call, 0, &a) || !host->input(call, 1, &b)) return 1;
  if (a.num_elements != b.num_elements) {
    host->fail_run(call, "Hypot takes two inputs of one shape");
    return 1;
  }
  if (!host->output(call, 0, FLOAT32, a.rank, a.dims, &data)) return 1;
  const float* x = a.data;
  const float* y = b.data;
  float* result = data;
  for (int64_t i = 0; i < a.num_elements; ++i) result[i] = hypotf(x[i], y[i]) * scale;
  return 0;
}

static int count_words_shapes(const InferdHost* host, const InferdNode* node,
                              InferdShapeCall* call) {
  (void)node;
  InferdTensorType type;
  if (!host->input_type(call, 0, &type)) return 1;
  if (type.dtype != INFERD_STRING) {
    host->fail_shape(call, "CountWords takes strings");
    return 1;
  }
  type.dtype = INT64;
  return host->set_output_type(call, 0, &type) ? 0 : 1;
}

static int64_t count_words(const char* text, size_t bytes, const char* separators, size_t count) {
  int64_t words = 0;
  int inside = 0;
  for (size_t i = 0; i < bytes; ++i) {
    const int separates = memchr(separators, text[i], count) != NULL;
    if (!separates && !inside) ++words;
    inside = !separates;
  }
  return words;
}

static int count_words_run(const InferdHost* host, const InferdNode* node, InferdRunCall* call) {
  InferdTensor text;
  void* data;
  const char* separators = " ";
  size_t separator_count = 1;
  host->string_attribute(node, "separators", &separators, &separator_count);
  if (!host->input(call, 0, &text)) return 1;
  if (!host->output(call, 0, INT64, text.rank, text.dims, &data)) return 1;
  int64_t* counts = data;
  for (int64_t i = 0; i < text.num_elements; ++i) {
    const char* line;
    size_t bytes;
    if (!host->input_string(call, 0, i, &line, &bytes)) return 1;
    counts[i] = count_words(line, bytes, separators, separator_count);
  }
  return 0;
}

const InferdCustomOps* inferd_custom_ops(void) {
  static const InferdAttribute hypot_attributes[] = {{"scale", INFERD_FLOAT, 0}};
  static const InferdAttribute count_words_attributes[] = {{"separators", INFERD_TEXT, 0}};
  static const InferdCustomOp ops[] = {
      {"com.example", "Hypot", 1, 2, 2, 1, 1, hypot_attributes, 1, 1, hypot_shapes, hypot_run},
      {"com.example", "CountWords", 1, 1, 1, 1, 1, count_words_attributes, 1, 1, count_words_shapes,
       count_words_run},
  };
  static const InferdCustomOps all = {INFERD_CUSTOM_OP_ABI_VERSION, 2, ops};
  return &all;
}
