# SPDX-License-Identifier: BSD-3-Clause
"""Makes the golden files of tests/io/data with NumPy. Development only: the files are committed.

    python3 tests/io/make_data.py

NAME.npy of kind TYPE_SHAPE.npy holds arange in that type and shape, row-major: the tests write the
same tensor and compare every byte. The others are forms that only NumPy or an attacker writes.
PNGs are made here, by the letter of the format, because no image library is a dependency of NumPy.
"""
import io
import os
import struct
import zipfile
import zlib

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
TYPES = {"f16": "<f2", "f32": "<f4", "f64": "<f8", "i8": "|i1", "u8": "|u1", "i16": "<i2", "i32": "<i4",
         "i64": "<i8"}
SHAPES = [(), (5,), (0,), (2, 3), (4, 0, 2), (2, 3, 4), (1, 2, 1, 3, 1, 2, 1, 1, 2, 1, 1, 2)]


def path(name):
    return os.path.join(FOLDER, name)


def ramp(shape, dtype):
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape).astype(dtype)


def arrays():
    for name, dtype in TYPES.items():
        for shape in SHAPES if name == "f32" else SHAPES[3:4]:
            np.save(path(f"{name}_{'x'.join(map(str, shape))}.npy"), ramp(shape, dtype))
    np.save(path("fortran.npy"), np.asfortranarray(ramp((2, 3, 4), "<f4")))
    np.save(path("big_f4.npy"), ramp((2, 3), ">f4"))
    np.save(path("big_i2_fortran.npy"), np.asfortranarray(ramp((2, 3), ">i2")))
    np.save(path("big_i8.npy"), ramp((3,), ">i8"))
    np.save(path("bool.npy"), np.array([[True, False], [False, True]]))
    np.save(path("bfloat16.npy"), np.array([0x3F80, 0xC000], "<u2").view("V2"))
    np.save(path("object.npy"), np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(path("structured.npy"), np.zeros(2, dtype=[("a", "<f4"), ("b", "<i2")]))
    for name, dtype in [("uint16", "<u2"), ("complex64", "<c8"), ("text", "<U3"), ("date", "<M8[s]")]:
        np.save(path(f"{name}.npy"), np.zeros(2, dtype))
    for version in [(2, 0), (3, 0)]:
        with open(path(f"version{version[0]}.npy"), "wb") as f:
            np.lib.format.write_array(f, ramp((2, 3), "<f4"), version=version)


class Pipe(io.RawIOBase):
    """A stream that cannot seek: zipfile then writes data descriptors."""

    def __init__(self, target):
        self.target = target

    def writable(self):
        return True

    def write(self, data):
        return self.target.write(data)


def archives():
    members = {"a": ramp((2, 3), "<f4"), "b/c": ramp((4,), "<i8"), "s": np.array(7, "<f8")}
    np.savez(path("stored.npz"), **members)
    np.savez_compressed(path("deflated.npz"), zeros=np.zeros(3000, "<f4"), **members)
    np.savez(path("single.npz"), ramp((3,), "<f4"))
    with open(path("streamed.npz"), "wb") as f:
        np.savez(Pipe(f), **members)
    np.savez(path("mixed.npz"), good=ramp((2,), "<f4"), bad=np.array([None], dtype=object),
             odd=np.zeros(2, "<c8"))
    with zipfile.ZipFile(path("other.npz"), "w") as z:
        for name, data in [("readme.txt", b"no array"), ("folder/", b""),
                           ("x.npy", open(path("f32_2x3.npy"), "rb").read())]:
            z.writestr(zipfile.ZipInfo(name), data)  # its date is the zip epoch
    with zipfile.ZipFile(path("empty.npz"), "w"):
        pass


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth, x0, y0, dx, dy):
    """Filter 0 rows of every dx-th column and dy-th row, samples packed to `depth` bits."""
    rows = b""
    part = samples[y0::dy, x0::dx]
    if part.size == 0:
        return rows
    for row in part:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + data
    return rows


def png(name, samples, color, depth, interlace=False, extra=b""):
    height, width = samples.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                  (0, 1, 1, 2)]
    data = b"".join(pack_rows(samples, depth, x, y, dx, dy) for x, y, dx, dy in passes)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlace))
    with open(path(name), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra)
        f.write(chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def pictures():
    """For every type and depth a 7 x 5 picture whose sample (y, x, c) is (11y + 5x + 3c + 1) mod 2^depth,
    plain and interlaced."""
    for color, channels, depths in [(0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)),
                                    (4, 2, (8, 16)), (6, 4, (8, 16))]:
        for depth in depths:
            y, x, c = np.meshgrid(np.arange(5), np.arange(7), np.arange(channels), indexing="ij")
            samples = (11 * y + 5 * x + 3 * c + 1) * (1 if depth < 16 else 257) % (1 << depth)
            extra = b""
            if color == 3:
                entries = bytes((7 * i + j) % 256 for i in range(1 << depth) for j in range(3))
                extra = chunk(b"PLTE", entries) + chunk(b"tRNS", bytes([0, 128]))
            if color == 0 and depth == 8:
                extra = chunk(b"tRNS", struct.pack(">H", 17))
            if color == 2 and depth == 16:
                extra = chunk(b"tRNS", struct.pack(">HHH", *(int(v) for v in samples[2, 3])))
            extra = chunk(b"tEXt", b"k\0v") + extra
            for interlace in (False, True):
                name = f"c{color}_d{depth}{'_i' if interlace else ''}.png"
                png(name, samples, color, depth, interlace, extra)


os.makedirs(FOLDER, exist_ok=True)
arrays()
archives()
pictures()
