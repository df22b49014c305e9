#include "server/rest/json_value.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "absl/strings/charconv.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

// Without recursion, so that depth costs no stack; numbers as text.
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag |
                            rapidjson::kParseNanAndInfFlag | rapidjson::kParseValidateEncodingFlag;

using rapidjson::SizeType;

// Builds the tree from the parser's events.
class TreeBuilder {
 public:
  TreeBuilder(const rapidjson::MemoryStream* stream, absl::string_view text,
              const JsonLimits& limits, absl::FunctionRef<bool(int, absl::string_view)> spans)
      : stream_(*stream), text_(text), limits_(limits), spans_(spans) {}

  bool Null() { return span_depth_ > 0 || Add(JsonValue::Kind::kNull) != nullptr; }
  bool Bool(bool value) {
    if (span_depth_ > 0) return true;
    JsonValue* added = Add(JsonValue::Kind::kBool);
    if (added == nullptr) return false;
    added->boolean = value;
    return true;
  }
  bool RawNumber(const char* text, SizeType length, bool) {
    return AddText(JsonValue::Kind::kNumber, text, length);
  }
  bool String(const char* text, SizeType length, bool) {
    return AddText(JsonValue::Kind::kString, text, length);
  }
  bool Key(const char* text, SizeType length, bool) {
    if (span_depth_ > 0) return true;
    key_.assign(text, length);
    return CountText(length);
  }
  bool StartObject() { return Start(JsonValue::Kind::kObject); }
  bool StartArray() { return Start(JsonValue::Kind::kArray); }
  bool EndObject(SizeType) { return End(); }
  bool EndArray(SizeType) { return End(); }
  // Numbers come as text.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }

  JsonValue& root() { return root_; }
  const std::string& problem() const { return problem_; }

 private:
  // The new value's place in the tree; null within a span or beyond the limit.
  JsonValue* Add(JsonValue::Kind kind) {
    if (++values_ > limits_.max_values) {
      problem_ = absl::StrCat("more than ", limits_.max_values, " values");
      return nullptr;
    }
    JsonValue* added = &root_;
    if (!open_.empty()) {
      JsonValue& parent = *open_.back();
      if (parent.kind == JsonValue::Kind::kObject) {
        parent.members.push_back({std::move(key_), JsonValue()});
        added = &parent.members.back().value;
        key_.clear();
      } else {
        added = &parent.items.emplace_back();
      }
    }
    added->kind = kind;
    return added;
  }
  // False when the tree's text gets too long.
  bool CountText(SizeType length) {
    text_bytes_ += length;
    if (text_bytes_ <= limits_.max_text_bytes) return true;
    problem_ =
        absl::StrCat("more than ", limits_.max_text_bytes, " bytes of text beside the tensors");
    return false;
  }
  bool AddText(JsonValue::Kind kind, const char* text, SizeType length) {
    if (span_depth_ > 0) return true;
    if (!CountText(length)) return false;
    JsonValue* added = Add(kind);
    if (added == nullptr) return false;
    added->text.assign(text, length);
    return true;
  }
  bool Start(JsonValue::Kind kind) {
    if (++depth_ > limits_.max_depth) {
      problem_ = absl::StrCat("nested more than ", limits_.max_depth, " deep");
      return false;
    }
    if (span_depth_ > 0) return true;
    const bool is_span = kind == JsonValue::Kind::kArray && !open_.empty() &&
                         open_.back()->IsObject() && spans_(depth_ - 1, key_);
    JsonValue* added = Add(is_span ? JsonValue::Kind::kSpan : kind);
    if (added == nullptr) return false;
    if (is_span) {
      span_depth_ = depth_;
      span_begin_ = stream_.Tell();
    }
    // Its place is fixed while it is open: its parent gets no further value.
    open_.push_back(added);
    return true;
  }
  bool End() {
    if (span_depth_ == depth_) {
      span_depth_ = 0;
      open_.back()->span = text_.substr(span_begin_, stream_.Tell() + 1 - span_begin_);
    }
    if (span_depth_ == 0) open_.pop_back();
    --depth_;
    return true;
  }

  const rapidjson::MemoryStream& stream_;
  const absl::string_view text_;
  const JsonLimits& limits_;
  const absl::FunctionRef<bool(int, absl::string_view)> spans_;
  JsonValue root_;
  std::vector<JsonValue*> open_;
  std::string key_;
  std::string problem_;
  int64_t values_ = 0;
  int64_t text_bytes_ = 0;
  int depth_ = 0;
  int span_depth_ = 0;  // the depth of the span that is being passed over; 0 = none
  size_t span_begin_ = 0;
};

// Passes the parser's events on.
struct ElementEvents {
  JsonElements& elements;

  bool Null() { return elements.Null(); }
  bool Bool(bool value) { return elements.Bool(value); }
  bool RawNumber(const char* text, SizeType length, bool) {
    return elements.Number({text, length});
  }
  bool String(const char* text, SizeType length, bool) { return elements.String({text, length}); }
  bool StartArray() { return elements.StartArray(); }
  bool EndArray(SizeType) { return elements.EndArray(); }
  bool Key(const char*, SizeType, bool) { return false; }
  bool StartObject() { return false; }
  bool EndObject(SizeType) { return false; }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
};

}  // namespace

const char* JsonValue::KindName() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "true or false";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kObject:
      return "an object";
    default:
      return "an array";
  }
}

absl::StatusOr<const JsonValue*> JsonValue::Find(absl::string_view name) const {
  const JsonValue* found = nullptr;
  for (const auto& [key, value] : members) {
    if (key != name) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' is given twice"));
    }
    found = &value;
  }
  return found;
}

bool JsonValue::GetInt64(int64_t* value) const {
  return kind == Kind::kNumber && absl::SimpleAtoi(text, value);
}

bool JsonValue::GetUint64(uint64_t* value) const {
  return kind == Kind::kNumber && absl::SimpleAtoi(text, value);
}

bool JsonValue::GetDouble(double* value) const {
  if (kind != Kind::kNumber) return false;
  const auto end = text.data() + text.size();
  const absl::from_chars_result result = absl::from_chars(text.data(), end, *value);
  return result.ec == std::errc() && result.ptr == end;
}

absl::StatusOr<JsonValue> ParseJson(absl::string_view text, const JsonLimits& limits,
                                    absl::FunctionRef<bool(int, absl::string_view)> spans) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  TreeBuilder tree(&stream, text, limits, spans);
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, tree);
  if (result.IsError()) {
    const std::string what = tree.problem().empty()
                                 ? std::string(rapidjson::GetParseError_En(result.Code()))
                                 : tree.problem();
    return absl::InvalidArgumentError(absl::StrCat("expected JSON, got at byte ", result.Offset(),
                                                   " of ", text.size(), ": ", what));
  }
  // A zero byte ends the text for the parser.
  if (stream.Tell() != text.size()) {
    return absl::InvalidArgumentError(absl::StrCat("expected JSON, got at byte ", stream.Tell(),
                                                   " of ", text.size(), ": a zero byte"));
  }
  return std::move(tree.root());
}

bool ReadElements(absl::string_view span, JsonElements* elements) {
  rapidjson::MemoryStream stream(span.data(), span.size());
  rapidjson::Reader reader;
  ElementEvents events{*elements};
  return !reader.Parse<kFlags>(stream, events).IsError();
}

}  // namespace inferd
