#include "server/repository/label_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/repository/temporary_repository.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;

ModelOptions OptionsNaming(const std::string& file) {
  ModelOptions options;
  inference::ModelOutput* output = options.config.add_output();
  output->set_name("scores");
  output->set_label_filename(file);
  return options;
}

TEST(LabelFile, EachLineIsALabel) {
  TemporaryRepository folder;
  folder.Write("m/labels.txt", "cat\nsnow leopard\r\n\ndog");
  ModelOptions options = OptionsNaming("labels.txt");
  ASSERT_TRUE(ReadLabels(folder.root() + "/m", &options).ok());
  EXPECT_THAT(options.labels["scores"], ElementsAre("cat", "snow leopard", "", "dog"));
}

TEST(LabelFile, AMissingFileIsAnErrorThatNamesIt) {
  TemporaryRepository folder;
  ModelOptions options = OptionsNaming("labels.txt");
  const absl::Status status = ReadLabels(folder.root(), &options);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("output 'scores'"));
}

TEST(LabelFile, RefusesWhatIsNoFileOrTooLong) {
  TemporaryRepository folder;
  folder.Write("m/labels.txt", std::string(1000001, '\n'));
  ModelOptions options = OptionsNaming("labels.txt");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadLabels(folder.root() + "/m", &options)));
  options = OptionsNaming("m");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadLabels(folder.root(), &options)));
}

}  // namespace
}  // namespace inferd
