"""Zips that are locked, as programs lock them: with AES, and in the traditional way."""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from pyzipper import WZ_AES, ZIP_DEFLATED, AESZipFile

_LOCAL: Final = "<4s5H3I2H"
_CENTRAL: Final = "<4s6H3I5H2I"
_END: Final = "<4s4H2IH"
_FLAGS: Final = 0x801
_DEFLATED: Final = 8
_ALL: Final = 0xFFFFFFFF


def with_aes(members: Mapping[str, bytes], password: bytes, *, bits: int = 256) -> bytes:
    """A zip as WinZip, 7-Zip and WinRAR lock it."""
    out = io.BytesIO()
    with AESZipFile(out, "w", compression=ZIP_DEFLATED, encryption=WZ_AES) as archive:
        archive.setpassword(password)
        archive.setencryption(WZ_AES, nbits=bits)
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def traditionally(members: Mapping[str, bytes], password: bytes) -> bytes:
    """A zip as the first programs locked it, and Windows still reads it (APPNOTE 6.1)."""
    written, directory = bytearray(), bytearray()
    for name, content in members.items():
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(content) + packer.flush()
        crc = zlib.crc32(content)
        locked = bytes(_enciphered(bytes(11) + bytes([crc >> 24]) + packed, password))
        said = name.encode()
        about = (20, _FLAGS, _DEFLATED, 0, 33, crc, len(locked), len(content), len(said), 0)
        directory += struct.pack(_CENTRAL, b"PK\x01\x02", 20, *about, 0, 0, 0, 0, len(written))
        directory += said
        written += struct.pack(_LOCAL, b"PK\x03\x04", *about) + said + locked
    count = len(members)
    end = (b"PK\x05\x06", 0, 0, count, count, len(directory), len(written), 0)
    return bytes(written + directory + struct.pack(_END, *end))


def _enciphered(content: bytes, password: bytes) -> Iterator[int]:
    keys = (0x12345678, 0x23456789, 0x34567890)
    for byte in password:
        keys = _turned(keys, byte)
    for byte in content:
        mask = (keys[2] | 2) & 0xFFFF
        yield byte ^ ((mask * (mask ^ 1)) >> 8 & 0xFF)
        keys = _turned(keys, byte)


def _turned(keys: tuple[int, int, int], byte: int) -> tuple[int, int, int]:
    first = _crc(keys[0], byte)
    second = ((keys[1] + (first & 0xFF)) * 134775813 + 1) & _ALL
    return first, second, _crc(keys[2], second >> 24)


def _crc(key: int, byte: int) -> int:
    return zlib.crc32(bytes([byte]), key ^ _ALL) ^ _ALL
