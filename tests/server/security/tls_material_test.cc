#include "server/security/tls_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/server/security/test_certificates.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

TlsOptions Options() {
  TlsOptions options;
  options.certificate_path = "tls.crt";
  options.key_path = "tls.key";
  return options;
}

std::string ErrorOf(const TlsOptions& options, TlsMaterial material) {
  const absl::Status status = CheckTlsMaterial(options, absl::Now(), &material);
  return status.ok() ? "OK" : std::string(status.message());
}

TEST(TlsMaterial, AcceptsACertificateWithItsKeyAndReadsItsTimes) {
  const absl::Time expires =
      absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())) + absl::Hours(5);
  const TestPair pair = MakeTestPair("server", expires);
  TlsMaterial material = {pair.certificate, pair.key, ""};
  ASSERT_TRUE(CheckTlsMaterial(Options(), absl::Now(), &material).ok());
  EXPECT_EQ(material.expires, expires);
  EXPECT_EQ(material.subject, "/CN=server");
}

TEST(TlsMaterial, RefusesWhatIsExpiredOrNotYetValid) {
  const TestPair pair = MakeTestPair("server", absl::Now() + absl::Hours(5));
  TlsMaterial material = {pair.certificate, pair.key, ""};
  const auto check = [&](absl::Time now) {
    return std::string(CheckTlsMaterial(Options(), now, &material).message());
  };
  EXPECT_THAT(check(absl::Now() + absl::Hours(6)), HasSubstr("'tls.crt': the certificate expired"));
  EXPECT_THAT(check(absl::Now() - absl::Hours(48)), HasSubstr("is valid from"));
}

TEST(TlsMaterial, NamesTheFileThatIsWrong) {
  const TestPair one = MakeTestPair("one", absl::Now() + absl::Hours(5));
  const TestPair two = MakeTestPair("two", absl::Now() + absl::Hours(5));
  EXPECT_THAT(ErrorOf(Options(), {one.certificate, two.key, ""}),
              HasSubstr("'tls.key' is not the key of the first certificate in 'tls.crt'"));
  EXPECT_THAT(ErrorOf(Options(), {"", one.key, ""}), HasSubstr("'tls.crt': expected PEM"));
  EXPECT_THAT(ErrorOf(Options(), {one.certificate, "", ""}), HasSubstr("'tls.key': expected"));
  EXPECT_THAT(ErrorOf(Options(), {one.certificate.substr(0, 200), one.key, ""}),
              HasSubstr("found none"));
  TlsOptions with_clients = Options();
  with_clients.client_ca_path = "ca.crt";
  EXPECT_THAT(ErrorOf(with_clients, {one.certificate, one.key, "none"}), HasSubstr("'ca.crt'"));
  EXPECT_EQ(ErrorOf(with_clients, {one.certificate, one.key, two.certificate}), "OK");
}

TEST(TlsMaterial, AnEncryptedKeyIsRefusedWithoutAskingForItsPassword) {
  const TestPair pair = MakeTestPair("server", absl::Now() + absl::Hours(5));
  BIO* plain = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(plain, nullptr, nullptr, nullptr);
  BIO* sealed = BIO_new(BIO_s_mem());
  char password[] = "secret";
  PEM_write_bio_PrivateKey(sealed, key, EVP_aes_128_cbc(), nullptr, 0, nullptr, password);
  char* data;
  const long size = BIO_get_mem_data(sealed, &data);
  EXPECT_THAT(ErrorOf(Options(), {pair.certificate, std::string(data, size_t(size)), ""}),
              HasSubstr("that is not encrypted"));
  BIO_free(plain);
  BIO_free(sealed);
  EVP_PKEY_free(key);
}

TEST(TlsMaterial, AuthoritiesAreCertificatesInAFile) {
  const TestPair pair = MakeTestPair("authority", absl::Now() + absl::Hours(5));
  const std::string path = ::testing::TempDir() + "authorities.pem";
  std::ofstream(path) << pair.certificate << pair.certificate;
  EXPECT_EQ(*ReadAuthorities(path), pair.certificate + pair.certificate);
  std::ofstream(path) << pair.key;
  EXPECT_THAT(std::string(ReadAuthorities(path).status().message()),
              HasSubstr("authorities.pem': expected PEM certificates"));
  EXPECT_FALSE(ReadAuthorities("/nowhere").ok());
}

}  // namespace
}  // namespace inferd
