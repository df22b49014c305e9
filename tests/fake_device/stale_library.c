/* A provider's library that was built with other headers, for the tests of loading. */
static const struct {
  const char* interface_id;
  void* make;
} kLibrary = {"another build", 0};

const void* inferd_provider_library(void) { return &kLibrary; }
