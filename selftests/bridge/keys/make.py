#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the files of this folder: see README. Needs openssl(1), and neither nk(1) nor nsc(1)."""
import base64
import json
import os
import subprocess
import tempfile

# What comes before a key, so that its text begins with this letter.
PREFIXES = {"O": 14 << 3, "A": 0, "U": 20 << 3}
SEED = 18 << 3
# Of a private key of Ed25519 in PKCS #8, before its 32 bytes.
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def text(data):
    data += crc16(data).to_bytes(2, "little")
    return base64.b32encode(data).decode().rstrip("=")


def openssl(private, *arguments):
    with tempfile.NamedTemporaryFile() as key:
        key.write(PKCS8 + private)
        key.flush()
        command = ["openssl", *arguments, key.name]
        return subprocess.run(command, check=True, capture_output=True).stdout


class Key:
    def __init__(self, letter):
        self.private = os.urandom(32)
        public = openssl(self.private, "pkey", "-pubout", "-outform", "DER", "-inform", "DER",
                         "-in")[-32:]
        prefix = PREFIXES[letter]
        self.public = text(bytes([prefix]) + public)
        self.seed = text(bytes([SEED | prefix >> 5, (prefix & 31) << 3]) + self.private)

    def sign(self, data):
        with tempfile.NamedTemporaryFile() as message:
            message.write(data)
            message.flush()
            return openssl(self.private, "pkeyutl", "-sign", "-rawin", "-in", message.name,
                           "-keyform", "DER", "-inkey")

    def token(self, kind, subject, name, **claims):
        """What this key says of another: a JWT."""
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"},
                 {"jti": name, "iat": 1700000000, "iss": self.public, "name": name,
                  "sub": subject.public, "nats": {"type": kind, "version": 2, **claims}}]
        said = b".".join(packed(json.dumps(part).encode()) for part in parts)
        return (said + b"." + packed(self.sign(said))).decode()


def packed(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def write(name, *lines):
    with open(name, "w", encoding="ascii") as file:
        file.write("\n".join(("# SPDX-License-Identifier: GPL-2.0", *lines)) + "\n")


operator, system, account = Key("O"), Key("A"), Key("A")
user, stranger, nkey, wrong = Key("U"), Key("U"), Key("U"), Key("U")
limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True,
          "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1,
          "consumer": -1}
tokens = {key.public: operator.token("account", key, name, limits=limits if key is account else
                                     {**limits, "mem_storage": 0, "disk_storage": 0})
          for key, name in ((system, "SYS"), (account, "mailboxes"))}

write("operator.conf",
      "operator: " + operator.token("operator", operator, "tests", system_account=system.public),
      "system_account: " + system.public, "resolver: MEMORY", "resolver_preload: {",
      *(f"\t{public}: {token}" for public, token in tokens.items()), "}")
# The second is of an account that the server does not know.
for name, issuer, who in (("bridge", account, user), ("stranger", Key("A"), stranger)):
    write(name + ".creds", "-----BEGIN NATS USER JWT-----",
          issuer.token("user", who, name, subs=-1, data=-1, payload=-1),
          "------END NATS USER JWT------", "", "-----BEGIN USER NKEY SEED-----", who.seed,
          "------END USER NKEY SEED------")
write("nkey.conf", "authorization { users: [ { nkey: %s } ] }" % nkey.public)
write("nkey.seed", nkey.seed)
write("wrong.seed", wrong.seed)
