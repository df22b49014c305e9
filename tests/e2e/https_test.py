#!/usr/bin/env python3
"""TLS and access rules on the HTTP port, asked with curl."""

import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import unittest

from e2e import models
from e2e.certificates import Authority
from e2e.daemon import Daemon
from e2e.tls_test import RELOAD, pem_of, wait_until

TOKEN = "s3cret-of-ann"
RULES = f"""
role {{ name: "probe" allow: HEALTH }}
role {{ name: "user" allow: METADATA allow: INFERENCE }}
identity {{ name: "ann" role: "user" token_sha256: "{hashlib.sha256(TOKEN.encode()).hexdigest()}" }}
identity {{ name: "bob" role: "user" uri: "spiffe://test/bob" }}
anonymous_role: "probe"
"""
WIDTH = 200000


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "wide", models.identity(width=WIDTH))


def body(width=16, rows=1):
    return json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, width],
                                   "data": [1.5] * width * rows}]})


class HttpsTest(unittest.TestCase):

    def setUp(self):
        self.authority = self.enterContext(Authority())
        self.pair = self.authority.issue("server")

    def serve(self, *more):
        return self.enterContext(
            Daemon(fill, "--tls-cert", self.pair[0], "--tls-key", self.pair[1], *RELOAD, *more))

    def curl(self, daemon, path, *options, port="http", given=None, scheme="https"):
        """(HTTP status or 0, body) of a request."""
        address = daemon.addresses[port].rsplit(":", 1)[1]
        ended = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--cacert", self.authority.certificate,
             "-w", "\n%{http_code}", *options, *(["--data-binary", "@-"] if given else []),
             f"{scheme}://localhost:{address}{path}"],
            input=given, capture_output=True, text=True, timeout=60)
        text, code = ended.stdout.rsplit("\n", 1)
        return int(code), text

    def infer(self, daemon, *options, model="identity", given=None):
        return self.curl(daemon, f"/v2/models/{model}/infer", *options, given=given or body())

    def test_the_http_port_speaks_tls_and_the_metrics_port_does_not(self):
        daemon = self.serve()
        code, text = self.infer(daemon)
        self.assertEqual(code, 200, text)
        self.assertEqual(json.loads(text)["outputs"][0]["data"], [1.5] * 16)
        self.assertEqual(self.infer(daemon, "--http1.0")[0], 200)
        self.assertEqual(self.curl(daemon, "/v2/health/ready", scheme="http")[0], 0)
        self.assertEqual(daemon.get("/metrics", "metrics")[0], 200)
        with Authority("somebody else") as other:
            self.assertEqual(
                self.curl(daemon, "/v2/health/ready", "--cacert", other.certificate)[0], 0)
        self.assertEqual(self.curl(daemon, "/v2/health/ready", "--tls-max", "1.1", "--ciphers",
                                   "DEFAULT@SECLEVEL=0")[0], 0)

    def test_large_bodies_and_kept_connections_work(self):
        daemon = self.serve()
        code, text = self.infer(daemon, model="wide", given=body(WIDTH, 3))
        self.assertEqual(code, 200)
        self.assertEqual(json.loads(text)["outputs"][0]["shape"], [3, WIDTH])
        # More than the port takes: the answer comes before the connection ends.
        self.assertEqual(self.infer(daemon, "-H", "Expect:", given="x" * (80 << 20))[0], 413)
        url = f"https://localhost:{daemon.addresses['http'].rsplit(':', 1)[1]}/v2/health/ready"
        ended = subprocess.run(
            ["curl", "-sS", "--cacert", self.authority.certificate, "-w",
             "%{http_code} %{num_connects}\n", url, url], capture_output=True, text=True)
        self.assertEqual(ended.stdout, "200 1\n200 0\n", ended.stderr)

    def test_a_client_that_goes_away_cancels_its_request(self):
        # Slow enough that some wait still when the clients have shaken hands and gone.
        daemon = self.enterContext(
            Daemon(lambda repository: models.save(repository, "slow", models.slow(400)),
                   "--tls-cert", self.pair[0], "--tls-key", self.pair[1]))
        trust = ssl.create_default_context(cafile=self.authority.certificate)
        port = int(daemon.addresses["http"].rsplit(":", 1)[1])
        data = bytes(64 * 1024 * 4)
        request = (f"POST /v2/models/slow/infer HTTP/1.1\r\nContent-Length: {len(data)}\r\n"
                   "Inference-Header-Content-Length: 0\r\n\r\n").encode() + data

        def cancelled():
            return sum(value for name, value in daemon.metrics().items()
                       if "request_failure" in name and 'reason="CANCELED"' in name)

        def ask_and_go_away():
            connections = []
            for _ in range(12):
                plain = socket.create_connection(("127.0.0.1", port), timeout=60)
                connections.append(trust.wrap_socket(plain, server_hostname="localhost"))
            for connection in connections:
                connection.sendall(request)
            self.assertTrue(connections[0].recv(1))
            for connection in connections:
                connection.close()
            return cancelled() > 0

        # On a busy machine the daemon may be done with all of them before they go.
        wait_until(ask_and_go_away)

    def test_client_certificates_are_demanded(self):
        daemon = self.serve("--tls-client-ca", self.authority.certificate)
        client = self.authority.issue("client")
        self.assertEqual(self.infer(daemon, "--cert", client[0], "--key", client[1])[0], 200)
        self.assertEqual(self.infer(daemon)[0], 0)
        with Authority("somebody else") as other:
            stranger = other.issue("client")
            self.assertEqual(self.infer(daemon, "--cert", stranger[0], "--key", stranger[1])[0], 0)

    def test_the_metrics_port_can_have_tls(self):
        daemon = self.serve("--metrics-tls")
        self.assertEqual(self.curl(daemon, "/metrics", port="metrics")[0], 200)
        self.assertEqual(self.curl(daemon, "/metrics", port="metrics", scheme="http")[0], 0)

    def test_a_new_pair_is_taken_over(self):
        daemon = self.serve()

        def presented():
            ended = subprocess.run(
                ["openssl", "s_client", "-connect", daemon.addresses["http"]], input=b"",
                capture_output=True, timeout=30)
            return ended.stdout.decode()

        self.assertIn(pem_of(self.pair[0]).strip(), presented())
        second = self.authority.issue("second")
        shutil.copy(second[0], self.pair[0])
        shutil.copy(second[1], self.pair[1])
        wait_until(lambda: pem_of(second[0]).strip() in presented())
        self.assertEqual(self.infer(daemon)[0], 200)

    def test_access_rules_hold_for_http_too(self):
        with open(self.authority.path("access"), "w", encoding="utf-8") as file:
            file.write(RULES)
        daemon = self.serve("--tls-client-ca", self.authority.certificate,
                            "--tls-client-optional", "--access-config",
                            self.authority.path("access"))
        bob = self.authority.issue("bob", "DNS:bob,URI:spiffe://test/bob")
        mallory = self.authority.issue("mallory", "DNS:spiffe.test")
        token = ("-H", f"Authorization: Bearer {TOKEN}")
        self.assertEqual(self.curl(daemon, "/v2/health/ready")[0], 200)
        code, text = self.infer(daemon, "-i")
        self.assertEqual(code, 401)
        self.assertIn("WWW-Authenticate: Bearer", text)
        self.assertEqual(self.infer(daemon, *token)[0], 200)
        self.assertEqual(self.infer(daemon, "--cert", bob[0], "--key", bob[1])[0], 200)
        self.assertEqual(self.infer(daemon, "--cert", mallory[0], "--key", mallory[1])[0], 401)
        code, text = self.infer(daemon, "-H", "Authorization: Bearer wrong")
        self.assertEqual(code, 401)
        self.assertNotIn("wrong", text)
        # Every path that is served is governed, whatever it answers without rules.
        for path, given in (("/v2/models/identity/stats", None), ("/v2/models/stats", None),
                            ("/v2/repository/index", "{}"), ("/v2/logging", None),
                            ("/v2/systemsharedmemory/status", None),
                            ("/v2/repository/models/identity/load", "{}")):
            self.assertIn(self.curl(daemon, path, *token, given=given)[0], (403, 404), path)
            self.assertIn(self.curl(daemon, path, given=given)[0], (401, 404), path)

    def test_tokens_are_refused_in_plaintext(self):
        with open(self.authority.path("access"), "w", encoding="utf-8") as file:
            file.write(RULES)
        daemon = self.enterContext(Daemon(fill, "--access-config", self.authority.path("access")))
        url = f"http://{daemon.addresses['http']}/v2/models/identity/infer"
        ended = subprocess.run(
            ["curl", "-sS", "-w", "%{http_code}", "-H", f"Authorization: Bearer {TOKEN}", "-d",
             body(), url], capture_output=True, text=True)
        self.assertTrue(ended.stdout.endswith("401"), ended.stdout)
        self.assertIn("without TLS", ended.stdout)


if __name__ == "__main__":
    unittest.main()
