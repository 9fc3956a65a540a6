"""The certificates of the host of files, by an authority made for one run."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def make_certificates(folder: Path) -> None:
    """`ca.pem`, and by it `host.pem` with `host.key`, for localhost."""
    upper, lower = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake WhatsApp authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)

    def begin(name: x509.Name, key: ec.EllipticCurvePrivateKey, authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        )

    host = begin(subject, lower, False)
    host = host.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    host = host.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(begin(issuer, upper, True).sign(upper, hashes.SHA256()).public_bytes(pem))
    (folder / "host.pem").write_bytes(host.sign(upper, hashes.SHA256()).public_bytes(pem))
    key = lower.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "host.key").write_bytes(key)
