#include "server/rest/fitted_shape.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd {

absl::StatusOr<std::vector<int64_t>> FitShape(
    const inference::ModelMetadataResponse::TensorMetadata& tensor, int64_t elements) {
  std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  int64_t left = elements;
  int variable = -1;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    if (shape[i] < 0) {
      variable = i;
      shape[i] = 1;
    } else if (shape[i] > 0 && left % shape[i] == 0) {
      left /= shape[i];
    } else {
      left = -1;
      break;
    }
  }
  if (variable >= 0 && left >= 0) {
    shape[variable] = left;
    left = 1;
  }
  if (left == 1) return shape;
  return absl::InvalidArgumentError(absl::StrCat(elements, " elements do not fit into the shape [",
                                                 absl::StrJoin(tensor.shape(), ","), "]"));
}

}  // namespace inferd
