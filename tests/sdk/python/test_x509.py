import json
import os
import subprocess
import tempfile
import unittest

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, X509
from azure.iot.device.exceptions import CredentialError

import hub


class Certificates:
    """Made by the openssl command in a folder of the test."""

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory(prefix="nearhub-x509-")
        test.addCleanup(folder.cleanup)
        self._folder = folder.name
        self._count = 0

    def _openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, text=True).stdout

    def make(self, common_name, issuer=None, ca=False):
        """Files of the certificate, of the chain with it in front, and of the key."""
        self._count += 1
        name = os.path.join(self._folder, f"c{self._count}")
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")
        subject = "/CN=" + common_name.replace("/", "\\/")
        self._openssl("req", "-new", "-key", name + ".key", "-subj", subject, "-out", name + ".csr")
        with open(name + ".ext", "w", encoding="ascii") as file:
            file.write("basicConstraints=critical,CA:TRUE\n" if ca else "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
        signer = ["-CA", issuer + ".cert", "-CAkey", issuer + ".key", "-set_serial", str(self._count)] if issuer else ["-signkey", name + ".key"]
        self._openssl("x509", "-req", "-in", name + ".csr", "-days", "1", "-sha256", *signer, "-extfile", name + ".ext", "-out", name + ".cert")
        with open(name + ".chain", "w", encoding="ascii") as chain:
            for part in [name + ".cert"] + ([issuer + ".chain"] if issuer else []):
                with open(part, encoding="ascii") as file:
                    chain.write(file.read())
        return name

    def thumbprint(self, name):
        return self._openssl("x509", "-in", name + ".cert", "-noout", "-fingerprint", "-sha256").strip().split("=")[1].replace(":", "")


def x509(name):
    return X509(name + ".chain", name + ".key")


def create(path, authentication):
    status, identity = hub.api("PUT", path, {"authentication": authentication})
    assert status == 200, identity


class CertificateAuthentication(unittest.TestCase):
    def setUp(self):
        self.certificates = Certificates(self)
        self.device_id = hub.fresh_id("py-x509")

    def connect(self, client):
        self.addCleanup(client.shutdown)
        client.connect()
        return client

    def device(self, name):
        return IoTHubDeviceClient.create_from_x509_certificate(x509(name), hub.HOST, self.device_id, server_verification_cert=hub.CA)

    def test_a_self_signed_device_and_module_come_in_by_their_thumbprints(self):
        device, module = self.certificates.make("device"), self.certificates.make("module")
        for path, name in ((f"/devices/{self.device_id}", device), (f"/devices/{self.device_id}/modules/m1", module)):
            create(path, {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": self.certificates.thumbprint(name)}})
        client = self.connect(self.device(device))
        client.send_message("by thumbprint")
        self.assertEqual(client.get_twin()["desired"], {"$version": 1})
        module_client = self.connect(
            IoTHubModuleClient.create_from_x509_certificate(x509(module), hub.HOST, self.device_id, "m1", server_verification_cert=hub.CA))
        module_client.send_message("of the module")
        first, second = hub.events_of(self.device_id)
        self.assertEqual((first["body"], second["body"], second["moduleId"]), ("by thumbprint", "of the module", "m1"))
        self.assertEqual(json.loads(second["annotations"]["iothub-connection-auth-method"])["type"], "x509Certificate")

    def test_a_device_and_its_module_come_in_by_chains_to_a_registered_ca(self):
        root = self.certificates.make("root", ca=True)
        intermediate = self.certificates.make("intermediate", issuer=root, ca=True)
        with open(root + ".cert", encoding="ascii") as file:
            status, answer = hub.api("PUT", f"/_nearhub/certificates/{hub.fresh_id('root')}", {"properties": {"certificate": file.read(), "isVerified": True}})
        self.assertEqual(status, 201, answer)
        for path in (f"/devices/{self.device_id}", f"/devices/{self.device_id}/modules/m1"):
            create(path, {"type": "certificateAuthority"})
        self.connect(self.device(self.certificates.make(self.device_id, issuer=intermediate))).send_message("by chain")
        module = self.certificates.make(self.device_id + "/m1", issuer=intermediate)
        self.connect(IoTHubModuleClient.create_from_x509_certificate(x509(module), hub.HOST, self.device_id, "m1", server_verification_cert=hub.CA)).send_message("of the module")
        self.assertEqual([event["body"] for event in hub.events_of(self.device_id)], ["by chain", "of the module"])

    def test_another_certificate_is_refused(self):
        mine, other = self.certificates.make("mine"), self.certificates.make("other")
        create(f"/devices/{self.device_id}", {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": self.certificates.thumbprint(mine)}})
        client = self.device(other)
        self.addCleanup(client.shutdown)
        with self.assertRaises(CredentialError):
            client.connect()
        _, [refusal] = hub.api("GET", f"/_nearhub/refusals?id={self.device_id}")
        self.assertEqual(refusal["check"], "certificate")
        self.assertIn(self.certificates.thumbprint(other).lower(), refusal["received"])
