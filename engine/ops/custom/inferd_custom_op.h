/* The C interface for operators that live in shared libraries of their own.
 *
 * A library defines inferd_custom_ops(); `inferd serve --custom-op-library ./libmine.so` loads it,
 * and every model may then use its operators under their domain and name. Plain C11, no
 * dependencies:
 *
 *   cc -shared -fPIC -I DIR_OF_THIS_FILE mine.c -o libmine.so
 *
 * tests/custom_op/example_ops.c is a whole library. The code runs inside the daemon with all its
 * rights: load only what you trust. Nothing may be thrown through this interface.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A library built for another version is refused. */
#define INFERD_CUSTOM_OP_ABI_VERSION 1

#define INFERD_MAX_RANK 16
#define INFERD_ANY_NUMBER (-1)

/* Element types are the numbers of ONNX's TensorProto.DataType: 1 is float32, 6 int32, 7 int64,
 * 8 string, 9 bool, 10 float16, 11 float64. int4 and narrower types take one byte an element. */
typedef int32_t InferdDType;
#define INFERD_STRING 8

/* What a shape rule knows of a value: dtype 0 is not known, rank -1 is not known, and a dimension
 * of -1 is not known. */
typedef struct InferdTensorType {
  InferdDType dtype;
  int32_t rank;
  int64_t dims[INFERD_MAX_RANK];
} InferdTensorType;

/* A value: dense, row-major. `data` is null for strings, which input_string() reads. */
typedef struct InferdTensor {
  InferdDType dtype;
  int32_t rank;
  const int64_t* dims;
  const void* data;
  int64_t num_elements;
} InferdTensor;

/* One node's attributes; one evaluation of a shape rule; one execution. Valid during the call. */
typedef struct InferdNode InferdNode;
typedef struct InferdShapeCall InferdShapeCall;
typedef struct InferdRunCall InferdRunCall;

/* What the daemon offers to operators. Functions of kind "int" return 1 on success, 0 where there
 * is nothing to give or where the call is wrong; in the latter case the operator has failed
 * already, with a message, whatever it returns. Pointers given out are valid until the operator
 * returns. */
typedef struct InferdHost {
  /* Attributes: 0 when the node has none of that name and kind. */
  int (*int_attribute)(const InferdNode* node, const char* name, int64_t* value);
  int (*float_attribute)(const InferdNode* node, const char* name, float* value);
  int (*string_attribute)(const InferdNode* node, const char* name, const char** text,
                          size_t* bytes);
  int (*ints_attribute)(const InferdNode* node, const char* name, const int64_t** values,
                        size_t* count);
  int (*floats_attribute)(const InferdNode* node, const char* name, const float** values,
                          size_t* count);

  /* Shape rules. input_type gives 0 for an absent optional input. Every output's type must be set.
   */
  int32_t (*num_input_types)(const InferdShapeCall* call);
  int (*input_type)(InferdShapeCall* call, int32_t input, InferdTensorType* type);
  int (*set_output_type)(InferdShapeCall* call, int32_t output, const InferdTensorType* type);
  void (*fail_shape)(InferdShapeCall* call, const char* message);

  /* Executions. output gives storage of that shape, uninitialised, null for strings; every output
   * that wants_output() must be asked for. */
  int32_t (*num_inputs)(const InferdRunCall* call);
  int (*input)(InferdRunCall* call, int32_t input, InferdTensor* tensor);
  int (*input_string)(InferdRunCall* call, int32_t input, int64_t element, const char** text,
                      size_t* bytes);
  int (*wants_output)(const InferdRunCall* call, int32_t output);
  int (*output)(InferdRunCall* call, int32_t output, InferdDType dtype, int32_t rank,
                const int64_t* dims, void** data);
  int (*set_output_string)(InferdRunCall* call, int32_t output, int64_t element, const char* text,
                           size_t bytes);
  void (*fail_run)(InferdRunCall* call, const char* message);
} InferdHost;

typedef enum InferdAttributeKind {
  INFERD_INT = 0,
  INFERD_FLOAT = 1,
  INFERD_TEXT = 2,
  INFERD_INTS = 3,
  INFERD_FLOATS = 4
} InferdAttributeKind;

/* An attribute that the operator takes; a model with others is refused. */
typedef struct InferdAttribute {
  const char* name;
  int32_t kind; /* InferdAttributeKind */
  int required;
} InferdAttribute;

/* An operator. Everything it points at must live as long as the process. Both functions return 0 on
 * success; they are called from several threads at once. */
typedef struct InferdCustomOp {
  const char* domain; /* an own one, such as "com.example.text" */
  const char* name;
  int32_t since_version;
  int32_t min_inputs;
  int32_t max_inputs; /* INFERD_ANY_NUMBER: no limit */
  int32_t min_outputs;
  int32_t max_outputs;
  const InferdAttribute* attributes;
  size_t num_attributes;
  /* 1: the same inputs always give the same outputs, so that constant nodes may be folded. */
  int deterministic;
  /* Sets the outputs' types from the inputs'. Called when a model is loaded and whenever its inputs
   * get new shapes. Outputs must agree with what `run` makes. */
  int (*infer_shapes)(const InferdHost* host, const InferdNode* node, InferdShapeCall* call);
  int (*run)(const InferdHost* host, const InferdNode* node, InferdRunCall* call);
} InferdCustomOp;

typedef struct InferdCustomOps {
  uint32_t abi_version; /* INFERD_CUSTOM_OP_ABI_VERSION */
  size_t num_ops;
  const InferdCustomOp* ops;
} InferdCustomOps;

/* What a library defines. Called when the library is loaded, once or more often; must always give
 * the same. */
const InferdCustomOps* inferd_custom_ops(void);

#ifdef __cplusplus
}
#endif
