"""Certificates for the tests, made with the openssl command."""

import os
import shutil
import subprocess
import tempfile

EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True,
                          input=given, timeout=60).stdout


class Authority:
    """A certificate authority in a folder of its own; use with `with`."""

    def __init__(self, name="test authority"):
        self.folder = tempfile.mkdtemp(prefix="inferd-tls-")
        self.certificate = self.path("ca.pem")
        openssl("req", "-x509", *EC_KEY, "-keyout", self.path("ca.key"), "-out", self.certificate,
                "-subj", f"/CN={name}", "-days", "2")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, sans="DNS:localhost,IP:127.0.0.1", days=1):
        """Makes NAME.pem and NAME.key; returns their paths. Negative days: expired."""
        paths = self.path(f"{name}.pem"), self.path(f"{name}.key")
        openssl("req", *EC_KEY, "-keyout", paths[1], "-out", self.path("request"), "-subj",
                f"/CN={name}", "-addext", f"subjectAltName={sans}")
        openssl("x509", "-req", "-in", self.path("request"), "-CA", self.certificate, "-CAkey",
                self.path("ca.key"), "-days", str(days), "-copy_extensions", "copy", "-out",
                paths[0])
        return paths

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def read(path):
    with open(path, "rb") as file:
        return file.read()
