#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace inferd {

// The subject alternative names of a client's certificate. A value type.
struct PeerNames {
  std::vector<std::string> dns;
  std::vector<std::string> uris;
};

// Of the certificate that the peer of an established connection showed and that was verified; empty
// without one.
PeerNames PeerNamesOf(const SSL* connection);

}  // namespace inferd
