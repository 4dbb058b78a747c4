"""The little of MLS (RFC 9420) that a delivery service must speak.

A DAVE call's group is made by its members; Discord's server only carries their messages, and, as
the group's one external sender, signs the proposals that add and remove members. So this module
writes proposals and reads key packages, commits and welcomes, but knows no group secret.

Ciphersuite 2, DHKEMP256_AES128GCM_SHA256_P256: ECDSA on P-256 with SHA-256, keys as uncompressed
points. Structures are written as in RFC 9420: integers big endian, `opaque x<V>` with the
variable-size length of section 2.1.2.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_MLS_10 = (1).to_bytes(2)
_SUITE = (2).to_bytes(2)
_PUBLIC_MESSAGE, _KEY_PACKAGE_MESSAGE = (1).to_bytes(2), (5).to_bytes(2)
_MEMBER, _EXTERNAL = 1, 2
_PROPOSAL, _COMMIT = 2, 3
_ADD, _REMOVE = (1).to_bytes(2), (3).to_bytes(2)
_BY_REFERENCE = 2
_FROM_KEY_PACKAGE, _FROM_COMMIT = 1, 3
_BASIC_CREDENTIAL = 1
_FOREVER = (0, 2**64 - 1)
_ECDSA = ec.ECDSA(hashes.SHA256())


class MalformedMls(Exception):
    """Bytes that are not the structure they should be, or break a rule of DAVE's."""


def vector(content: bytes) -> bytes:
    """Return `content` behind its variable-size length."""
    size = len(content)
    if size < 1 << 6:
        return size.to_bytes(1) + content
    if size < 1 << 14:
        return (size | 1 << 14).to_bytes(2) + content
    return (size | 1 << 31).to_bytes(4) + content


class Reader:
    """Reads structures from the front of some bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    @property
    def rest(self) -> bytes:
        """Return what was not read yet."""
        return self._content[self.at :]

    def since(self, start: int) -> bytes:
        """Return what was read since position `start`."""
        return self._content[start : self.at]

    def take(self, size: int) -> bytes:
        """Read bytes."""
        taken = self._content[self.at : self.at + size]
        if len(taken) < size:
            raise MalformedMls("it ends too early")
        self.at += size
        return taken

    def number(self, size: int) -> int:
        """Read an unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size))

    def vector(self) -> bytes:
        """Read an `opaque x<V>`."""
        first = self.number(1)
        kind = first >> 6
        if kind == 3:
            raise MalformedMls("a length has the invalid prefix 11")
        more = (1 << kind) - 1
        size = int.from_bytes(bytes([first & 0x3F]) + self.take(more))
        if kind and size < 1 << (6 if kind == 1 else 14):
            raise MalformedMls("a length is not as short as it could be")
        return self.take(size)

    def expect(self, content: bytes, name: str) -> None:
        """Read what must be there."""
        if self.take(len(content)) != content:
            raise MalformedMls(f"its {name} is not {content.hex()}")


def _ref_hash(label: str, value: bytes) -> bytes:
    return hashlib.sha256(vector(label.encode()) + vector(value)).digest()


def _to_sign(label: str, content: bytes) -> bytes:
    return vector(f"MLS 1.0 {label}".encode()) + vector(content)


def _verify(key: bytes, label: str, content: bytes, signature: bytes) -> None:
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public.verify(signature, _to_sign(label, content), _ECDSA)
    except (InvalidSignature, ValueError):
        raise MalformedMls(f"the signature over its {label} is wrong") from None


@dataclass(frozen=True)
class _Leaf:
    signature_key: bytes
    identity: bytes
    source: int
    lifetime: tuple[int, int] | None


def _read_leaf(reader: Reader) -> _Leaf:
    start = reader.at
    reader.vector()  # encryption key
    signature_key = reader.vector()
    if reader.number(2) != _BASIC_CREDENTIAL:
        raise MalformedMls("its credential is not basic")
    identity = reader.vector()
    for _ in ("versions", "ciphersuites", "extensions", "proposals", "credentials"):
        reader.vector()
    source = reader.number(1)
    lifetime = None
    if source == _FROM_KEY_PACKAGE:
        lifetime = (reader.number(8), reader.number(8))
    elif source == _FROM_COMMIT:
        reader.vector()  # parent hash
    reader.vector()  # extensions
    content = reader.since(start)
    signature = reader.vector()
    if source == _FROM_KEY_PACKAGE:  # others sign the group's id and their place in it as well
        _verify(signature_key, "LeafNodeTBS", content, signature)
    return _Leaf(signature_key, identity, source, lifetime)


@dataclass(frozen=True)
class KeyPackage:
    """What lets a group add somebody (RFC 9420 section 10)."""

    content: bytes
    user_id: int
    signature_key: bytes

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read and check a key package as the voice gateway does (DAVE, "Key Packages").

        libdave sends it bare; the protocol's text wraps it in an MLSMessage: both are taken.

        Raises:
            MalformedMls: It breaks a rule.
        """
        content = content.removeprefix(_MLS_10 + _KEY_PACKAGE_MESSAGE)
        reader = Reader(content)
        reader.expect(_MLS_10, "protocol version")
        reader.expect(_SUITE, "ciphersuite")
        reader.vector()  # init key
        leaf = _read_leaf(reader)
        reader.vector()  # extensions
        signed = reader.since(0)
        _verify(leaf.signature_key, "KeyPackageTBS", signed, reader.vector())
        if reader.rest:
            raise MalformedMls("something follows the key package")
        if leaf.source != _FROM_KEY_PACKAGE or leaf.lifetime != _FOREVER:
            raise MalformedMls("its lifetime is not the longest possible")
        if len(leaf.identity) != 8:
            raise MalformedMls("its identity is no 64-bit user id")
        return cls(content, int.from_bytes(leaf.identity), leaf.signature_key)

    @property
    def ref(self) -> bytes:
        """Return its KeyPackageRef, by which a welcome names it."""
        return _ref_hash("MLS 1.0 KeyPackage Reference", self.content)


@dataclass(frozen=True)
class Proposal:
    """A signed external proposal as it is sent, and the reference by which a commit names it."""

    message: bytes
    ref: bytes


class ExternalSender:
    """The server's identity in its groups."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def package(self) -> bytes:
        """Return the ExternalSender structure (payload of op 25)."""
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return vector(point) + _BASIC_CREDENTIAL.to_bytes(2) + vector(b"voice gateway")

    def propose_add(self, group_id: int, epoch: int, key_package: KeyPackage) -> Proposal:
        """Propose to add the owner of a key package."""
        return self._sign(group_id, epoch, _ADD + key_package.content)

    def propose_remove(self, group_id: int, epoch: int, leaf_index: int) -> Proposal:
        """Propose to remove the member at a leaf."""
        return self._sign(group_id, epoch, _REMOVE + leaf_index.to_bytes(4))

    def _sign(self, group_id: int, epoch: int, proposal: bytes) -> Proposal:
        framed = (
            vector(group_id.to_bytes(8))
            + epoch.to_bytes(8)
            + _EXTERNAL.to_bytes(1)
            + (0).to_bytes(4)  # the first and only external sender
            + vector(b"")
            + _PROPOSAL.to_bytes(1)
            + proposal
        )
        to_sign = _to_sign("FramedContentTBS", _MLS_10 + _PUBLIC_MESSAGE + framed)
        authenticated = _PUBLIC_MESSAGE + framed + vector(self._key.sign(to_sign, _ECDSA))
        ref = _ref_hash("MLS 1.0 Proposal Reference", authenticated)
        return Proposal(_MLS_10 + authenticated, ref)


def appended(proposals: list[Proposal]) -> bytes:
    """Return the payload of op 27 that adds proposals."""
    return b"\0" + vector(b"".join(proposal.message for proposal in proposals))


def revoked(proposals: list[Proposal]) -> bytes:
    """Return the payload of op 27 that takes proposals back."""
    return b"\1" + vector(b"".join(vector(proposal.ref) for proposal in proposals))


@dataclass(frozen=True)
class Commit:
    """A member's commit: `message` as sent, what it refers to, and who made it."""

    message: bytes
    group_id: int
    epoch: int
    leaf_index: int
    proposal_refs: tuple[bytes, ...]
    new_signature_key: bytes | None


def read_commit(reader: Reader) -> Commit:
    """Read a commit as the voice gateway does; raise `MalformedMls` when DAVE forbids it."""
    start = reader.at
    reader.expect(_MLS_10, "protocol version")
    reader.expect(_PUBLIC_MESSAGE, "wire format")
    group_id, epoch = int.from_bytes(reader.vector()), reader.number(8)
    if reader.number(1) != _MEMBER:
        raise MalformedMls("its sender is no member")
    leaf_index = reader.number(4)
    reader.vector()  # authenticated data
    if reader.number(1) != _COMMIT:
        raise MalformedMls("it is no commit")
    refs = _read_refs(Reader(reader.vector()))
    new_key = None
    if reader.number(1):
        new_key = _read_leaf(reader).signature_key
        reader.vector()  # update path nodes
    for _ in ("signature", "confirmation tag", "membership tag"):
        reader.vector()
    return Commit(reader.since(start), group_id, epoch, leaf_index, refs, new_key)


def _read_refs(reader: Reader) -> tuple[bytes, ...]:
    refs = []
    while reader.rest:
        if reader.number(1) != _BY_REFERENCE:
            raise MalformedMls("it contains a proposal of its own")
        refs.append(reader.vector())
    return tuple(refs)


@dataclass(frozen=True)
class Welcome:
    """The group's secrets for new members, each sealed for one key package."""

    secrets: dict[bytes, bytes]
    group_info: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read a welcome."""
        reader.expect(_SUITE, "ciphersuite")
        sealed = Reader(reader.vector())
        secrets = {}
        while sealed.rest:
            start = sealed.at
            ref = sealed.vector()
            sealed.vector()  # encapsulated key
            sealed.vector()  # ciphertext
            secrets[ref] = sealed.since(start)
        return cls(secrets, reader.vector())

    def only_for(self, key_package: KeyPackage) -> bytes:
        """Return the welcome with one member's secrets alone; KeyError when there are none."""
        return _SUITE + vector(self.secrets[key_package.ref]) + vector(self.group_info)
