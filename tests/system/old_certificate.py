#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FILE HOST...: a certificate of 90 days that is 70 days old, and its key, in one file."""
import datetime, os, sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
now = datetime.datetime.utcnow()
made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(4711)
        .not_valid_before(now - datetime.timedelta(days=70)).not_valid_after(now + datetime.timedelta(days=20))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in sys.argv[2:]]), False)
        .sign(key, hashes.SHA256()))
with open(sys.argv[1] + ".new", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
    f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    f.write(made.public_bytes(serialization.Encoding.PEM))
os.rename(sys.argv[1] + ".new", sys.argv[1])
