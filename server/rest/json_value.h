#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd {

struct JsonMember;

// A parsed JSON value. Numbers stay text, so that each is read exactly as what it is to be. A value
// type.
struct JsonValue {
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kNumber,  // `text`, also NaN, Infinity and -Infinity
    kString,  // `text`, valid UTF-8
    kArray,   // `items`
    kObject,  // `members`
    kSpan,    // an array that was only checked: `span` is its JSON text
  };

  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;
  absl::string_view span;
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;

  bool IsString() const { return kind == Kind::kString; }
  bool IsObject() const { return kind == Kind::kObject; }
  // "a string", "null", ...: for messages.
  const char* KindName() const;
  // The member of that name; null where there is none. INVALID_ARGUMENT when it is there twice.
  absl::StatusOr<const JsonValue*> Find(absl::string_view name) const;

  // A number without fraction or exponent that fits; false for anything else.
  bool GetInt64(int64_t* value) const;
  bool GetUint64(uint64_t* value) const;
  bool GetDouble(double* value) const;
};

// One member of an object. A value type.
struct JsonMember {
  std::string name;
  JsonValue value;
};

// What ParseJson() takes. A value type.
struct JsonLimits {
  int max_depth = 64;
  // Values in the tree, and bytes of their text; those in spans are not in it.
  int64_t max_values = 20'000;
  int64_t max_text_bytes = 1 << 20;
};

// Parses `text`, a whole JSON value. An array that is the member `name` of an object `depth` deep,
// the outermost being 1 deep, becomes a kSpan where `spans(depth, name)` says so: it is checked,
// but takes no memory. INVALID_ARGUMENT with the place for text that is no JSON, is nested too deep
// or has too many values or too much text. `text` must outlive spans.
absl::StatusOr<JsonValue> ParseJson(
    absl::string_view text, const JsonLimits& limits = {},
    absl::FunctionRef<bool(int depth, absl::string_view name)> spans = [](int, absl::string_view) {
      return false;
    });

// Takes the elements of an array one by one; each method is false for a value that it does not
// take.
class JsonElements {
 public:
  virtual ~JsonElements() = default;
  virtual bool Bool(bool value) = 0;
  virtual bool Number(absl::string_view text) = 0;
  virtual bool String(absl::string_view text) = 0;
  virtual bool Null() = 0;
  virtual bool StartArray() = 0;
  virtual bool EndArray() = 0;
};

// Gives the value that `span` is, checked before, to `elements`, outermost array included. False
// when `elements` refused one, or an object came.
bool ReadElements(absl::string_view span, JsonElements* elements);

}  // namespace inferd
