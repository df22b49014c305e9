#!/usr/bin/env python3
"""TLS on the gRPC port: clients with and without certificates, and certificates that change."""

import os
import shutil
import ssl
import subprocess
import time
import unittest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.certificates import Authority, read
from e2e.clients import grpc, np, service, triton
from e2e.daemon import Daemon, run_inferd

WAIT_SECONDS = 20
RELOAD = ("--reload-interval", "100ms")
FAILING = "inferd_tls_reload_failing"
EXPIRY = "inferd_tls_certificate_expiry_seconds"


def fill(repository):
    models.save(repository, "identity", models.identity())


def wait_until(condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come about")
        time.sleep(0.02)


def infer_over(daemon, authority=None, pair=None):
    """The status code of an inference over a new TLS connection."""
    credentials = grpc.ssl_channel_credentials(
        read(authority.certificate), *((read(pair[1]), read(pair[0])) if pair else ()))
    port = daemon.grpc.rsplit(":", 1)[1]
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        return status_of(service.GRPCInferenceServiceStub(channel).ModelInfer, identity_request(),
                         timeout=5)[0]


def presented(daemon):
    """The certificate that the port presents, as PEM."""
    host, port = daemon.grpc.rsplit(":", 1)
    return ssl.get_server_certificate((host, int(port)), timeout=10)


def pem_of(path):
    return read(path).decode()


class TlsTest(unittest.TestCase):

    def setUp(self):
        self.authority = self.enterContext(Authority())

    def serve(self, pair, *more):
        return self.enterContext(
            Daemon(fill, "--tls-cert", pair[0], "--tls-key", pair[1], *RELOAD, *more))

    def test_clients_with_tls_are_served_and_others_are_not(self):
        daemon = self.serve(self.authority.issue("server"))
        self.assertEqual(infer_over(daemon, self.authority), grpc.StatusCode.OK)
        with Authority("somebody else") as other:
            self.assertEqual(infer_over(daemon, other), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(status_of(daemon.stub().ModelInfer, identity_request(), timeout=5)[0],
                         grpc.StatusCode.UNAVAILABLE)
        port = daemon.grpc.rsplit(":", 1)[1]
        client = triton.InferenceServerClient(f"localhost:{port}", ssl=True,
                                              root_certificates=self.authority.certificate)
        given = triton.InferInput("x", [1, 16], "FP32")
        given.set_data_from_numpy(np.ones([1, 16], np.float32))
        self.assertEqual(client.infer("identity", [given]).as_numpy("y").sum(), 16)
        self.assertTrue(86000 < daemon.metrics()[EXPIRY] < 86400)
        # Probes speak plain HTTP to the metrics port.
        self.assertEqual(daemon.get("/v2/health/ready", "metrics")[0], 200)

    def test_old_versions_of_tls_are_refused(self):
        daemon = self.serve(self.authority.issue("server"))

        def connects(version):
            made = subprocess.run(
                ["openssl", "s_client", "-connect", daemon.grpc, version, "-alpn", "h2",
                 "-cipher", "DEFAULT@SECLEVEL=0"], input=b"", capture_output=True, timeout=30)
            return b"BEGIN CERTIFICATE" in made.stdout

        self.assertTrue(connects("-tls1_3"))
        self.assertTrue(connects("-tls1_2"))
        self.assertFalse(connects("-tls1_1"))
        self.assertFalse(connects("-tls1"))

    def test_client_certificates_are_demanded(self):
        daemon = self.serve(self.authority.issue("server"), "--tls-client-ca",
                            self.authority.certificate)
        client = self.authority.issue("client")
        self.assertEqual(infer_over(daemon, self.authority, client), grpc.StatusCode.OK)
        self.assertEqual(infer_over(daemon, self.authority), grpc.StatusCode.UNAVAILABLE)
        with Authority("somebody else") as other:
            self.assertEqual(infer_over(daemon, self.authority, other.issue("client")),
                             grpc.StatusCode.UNAVAILABLE)
        expired = self.authority.issue("expired", days=-1)
        self.assertEqual(infer_over(daemon, self.authority, expired), grpc.StatusCode.UNAVAILABLE)
        port = daemon.grpc.rsplit(":", 1)[1]
        with_certificate = triton.InferenceServerClient(
            f"localhost:{port}", ssl=True, root_certificates=self.authority.certificate,
            private_key=client[1], certificate_chain=client[0])
        self.assertTrue(with_certificate.is_server_live())

    def test_client_certificates_may_be_optional_but_never_wrong(self):
        daemon = self.serve(self.authority.issue("server"), "--tls-client-ca",
                            self.authority.certificate, "--tls-client-optional")
        self.assertEqual(infer_over(daemon, self.authority), grpc.StatusCode.OK)
        self.assertEqual(infer_over(daemon, self.authority, self.authority.issue("client")),
                         grpc.StatusCode.OK)
        with Authority("somebody else") as other:
            self.assertEqual(infer_over(daemon, self.authority, other.issue("client")),
                             grpc.StatusCode.UNAVAILABLE)

    def test_a_new_pair_is_taken_over_while_calls_go_on(self):
        pair = self.authority.issue("server")
        daemon = self.serve(pair)
        self.assertEqual(presented(daemon), pem_of(pair[0]))
        credentials = grpc.ssl_channel_credentials(read(self.authority.certificate))
        channel = grpc.secure_channel(f"localhost:{daemon.grpc.rsplit(':', 1)[1]}", credentials)
        stub = service.GRPCInferenceServiceStub(channel)
        self.assertEqual(status_of(stub.ModelInfer, identity_request())[0], grpc.StatusCode.OK)
        # One file after the other, as a careless script does.
        second = self.authority.issue("second")
        shutil.copy(second[0], pair[0])
        time.sleep(0.3)
        self.assertEqual(status_of(stub.ModelInfer, identity_request())[0], grpc.StatusCode.OK)
        shutil.copy(second[1], pair[1])
        wait_until(lambda: presented(daemon) == pem_of(second[0]))
        self.assertEqual(status_of(stub.ModelInfer, identity_request())[0], grpc.StatusCode.OK)
        self.assertEqual(infer_over(daemon, self.authority), grpc.StatusCode.OK)
        wait_until(lambda: daemon.metrics()[FAILING] == 0)

    def test_a_bad_pair_changes_nothing_and_shows_in_the_metrics(self):
        pair = self.authority.issue("server")
        before = pem_of(pair[0])
        good = read(pair[0]), read(pair[1])
        daemon = self.serve(pair)
        expired = self.authority.issue("expired", days=-1)
        other = self.authority.issue("other")
        for files, words in (
                ((read(expired[0]), read(expired[1])), "expired on"),
                ((read(other[0]), good[1]), "is not the key of"),
                ((b"nonsense", good[1]), "expected PEM certificates"),
                ((good[0], b""), "expected a PEM private key")):
            for path, content in zip(pair, files):
                with open(path, "wb") as file:
                    file.write(content)
            wait_until(lambda: daemon.metrics()[FAILING] == 1)
            daemon.wait_for_log(words)
            self.assertEqual(presented(daemon), before)
            for path, content in zip(pair, good):
                with open(path, "wb") as file:
                    file.write(content)
            wait_until(lambda: daemon.metrics()[FAILING] == 0)
        os.remove(pair[0])
        wait_until(lambda: daemon.metrics()[FAILING] == 1)
        self.assertEqual(infer_over(daemon, self.authority), grpc.StatusCode.OK)

    def test_a_mounted_secret_is_followed(self):
        mount = self.authority.path("mount")
        pairs = [self.authority.issue(name) for name in ("one", "two")]
        for number, pair in enumerate(pairs):
            os.makedirs(f"{mount}/..{number}")
            shutil.copy(pair[0], f"{mount}/..{number}/tls.crt")
            shutil.copy(pair[1], f"{mount}/..{number}/tls.key")
        os.symlink("..0", f"{mount}/..data")
        for name in ("tls.crt", "tls.key"):
            os.symlink(f"..data/{name}", f"{mount}/{name}")
        daemon = self.serve((f"{mount}/tls.crt", f"{mount}/tls.key"))
        self.assertEqual(presented(daemon), pem_of(pairs[0][0]))
        os.symlink("..1", f"{mount}/..data_tmp")
        os.rename(f"{mount}/..data_tmp", f"{mount}/..data")
        wait_until(lambda: presented(daemon) == pem_of(pairs[1][0]))

    def test_a_bad_pair_at_the_start_is_an_error(self):
        def start(*flags):
            return run_inferd("serve", "--model-repository", self.authority.folder, "--grpc-port",
                              "0", "--http-port", "0", "--metrics-port", "0", *flags)

        pair = self.authority.issue("server")
        expired = self.authority.issue("expired", days=-1)
        ended = start("--tls-cert", expired[0], "--tls-key", expired[1])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("the certificate expired on", ended.stderr)
        ended = start("--tls-cert", pair[0], "--tls-key", "/nowhere")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("'/nowhere' cannot be read: No such file", ended.stderr)
        self.assertEqual(start("--tls-cert", pair[0]).returncode, 2)
        self.assertEqual(start("--tls-client-ca", pair[0]).returncode, 2)


if __name__ == "__main__":
    unittest.main()
