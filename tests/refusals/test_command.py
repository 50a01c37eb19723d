#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The rows of table command in rows.inc: each is the function of its name.

A refusal is one line of printable ASCII on standard error (and perhaps a hint), an exit code, and a
folder in which nothing has changed.
"""
import contextlib
import ctypes
import json
import os
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
COMMAND = os.path.abspath(os.environ.get("FALTUNG_COMMAND", os.path.join(HERE, "../../build/faltung")))
with open(COMMAND, "rb") as binary:
    SANITIZED = b"__asan_init" in binary.read()
USAGE, FILE, MEMORY = 2, 3, 4
SAFE = {key: value for key, value in os.environ.items() if not key.startswith("FALTUNG_")}


# ---- running ------------------------------------------------------------------------------------

class Result:
    def __init__(self, code, out, err):
        self.code, self.out = code, out
        self.err = re.sub(r"(?m)^==\d+==WARNING.*\n", "", err.decode("latin-1"))  # a sanitizer's remarks

    def __str__(self):
        return f"exit {self.code}: {self.err}"


def run(*arguments, stdin=b"", stdout=subprocess.PIPE, env=None, **more):
    feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    done = subprocess.run([COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, check=False,
                          timeout=60, env={**SAFE, **(env or {})}, **feed, **more)
    return Result(done.returncode, done.stdout or b"", done.stderr)


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def listing():
    """Names and contents of the folder, hidden files included."""
    found = {}
    for name in os.listdir("."):
        status = os.lstat(name)
        found[name] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


def said(result, code, key):
    """One error line with the key in it, at most one hint."""
    expect(result.code == code, f"exit {code} was expected: {result}")
    lines = result.err.splitlines()
    expect(lines and re.match(r"faltung( [a-z-]+)?: error: ", lines[0]), f"no error line: {result}")
    expect(len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: ")), f"more lines: {result}")
    expect(all(" " <= c <= "~" for line in lines for c in line), f"not printable: {result.err!r}")
    expect(key in result.err, f"'{key}' was expected: {result}")


def refused(code, key, *arguments, **how):
    before = listing()
    result = run(*arguments, **how)
    said(result, code, key)
    expect(result.out == b"", f"something was printed: {result.out[:80]!r}")
    expect(listing() == before, f"the folder changed: {sorted(set(listing()) ^ set(before))}")
    return result


def done(*arguments, **how):
    result = run(*arguments, **how)
    expect(result.code == 0, f"{arguments}: {result}")
    return result.out


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def read(name):
    with open(name, "rb") as file:
        return file.read()


def npy(shape, data=b"", kind="<f4"):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data


def safetensors(tensors, data=b""):
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text + data


def refused_stride(text, key, code=USAGE):
    refused(code, key, "conv", "x.npy", "w.npy", "--stride", text, "-o", "y.npy")


# ---- the command line ---------------------------------------------------------------------------

def C01():
    result = run()
    expect(result.code == USAGE and "faltung VERB" in result.err and result.out == b"", str(result))


def C02():
    refused(USAGE, "hint: did you mean 'conv'?", "colv", "x.npy")


def C03():
    refused(USAGE, "hint: did you mean --stride?", "conv", "x.npy", "w.npy", "--strid", "2")


def C04():
    refused(USAGE, "--stride needs a value", "conv", "x.npy", "w.npy", "--stride")


def C05():
    refused(USAGE, "the value is empty (--stride)", "conv", "x.npy", "w.npy", "--stride=")


def C06():
    refused_stride("abc", "'abc' is not a list of whole numbers (--stride)")


def C07():
    refused_stride("1.5", "'1.5' is not a list of whole numbers (--stride)")


def C08():
    for text in ("1e3", "0x10", "+2", " 2", "2 ", "1_0", "\u0663"):
        refused_stride(text, "is not a list of whole numbers (--stride)")


def C09():
    refused_stride("2,2,2", "stride has 3 entries for 2 spatial axes; give 1 for all axes, or 2")


def C10():
    refused_stride("0", "stride is 0; must be at least 1")
    refused_stride("2,0", "stride[1] is 0; must be at least 1")


def C11():
    refused_stride("-1", "stride is -1; must be at least 1")


def C12():
    refused_stride("99999999999999999999", "99999999999999999999 does not fit 64 bits (--stride)")


def C13():
    refused(USAGE, "--stride is given twice", "conv", "x.npy", "w.npy", "--stride", "1", "--stride", "2")
    refused(USAGE, "--output is given twice", "conv", "x.npy", "w.npy", "-o", "y.npy", "--output", "z.npy")


def C14():
    image = "[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]"
    same = done("conv", image, "[[1,10],[100,1000]]", "--stride", "2", "--padding", "same")
    expect(same == done("conv", image, "[[1,10],[100,1000]]", "--stride", "2"), same)
    odd = done("conv", "[[1,2,3]]", "[[1,10]]", "--stride", "2", "--padding", "same")
    expect(odd == done("conv", "[[1,2,3]]", "[[1,10]]", "--stride", "2", "--padding", "0:0,0:1"), odd)


def C15():
    cropped = done("conv", "[[1,2,3],[4,5,6],[7,8,9]]", "[[1]]", "--padding", "-1")
    expect(cropped.split() == b"[[[[5]]]]".split(), cropped)


def C16():
    refused(USAGE, "input has 4 channels, not divisible by groups 3", "conv", "x.npy", "w9.npy", "--groups",
            "3")


def C17():
    refused(USAGE, "dilation is 0; must be at least 1", "conv", "x.npy", "w.npy", "--dilation", "0")


def C18():
    refused(USAGE, "winograd", "conv", "x.npy", "w.npy", "--algorithm", "winograd", "--stride", "2")


def C19():
    result = refused(USAGE, "there is no algorithm foo", "conv", "x.npy", "w.npy", "--algorithm", "foo")
    expect("implicit-gemm" in result.err and "reference" in result.err, str(result))


# ---- inputs -------------------------------------------------------------------------------------

def C20():
    refused(FILE, "no such file or folder (in.npy)", "print", "in.npy")


def C21():
    refused(FILE, "it is a folder", "print", "folder")


def as_nobody():
    """Root may read everything; whoever else runs the tests may not."""
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


@contextlib.contextmanager
def own_copy():
    """The command where anybody can run it."""
    global COMMAND
    original, COMMAND = COMMAND, shutil.copy(COMMAND, os.path.abspath("faltung"))
    yield
    COMMAND = original


def C22():
    os.chmod(write("secret.npy", npy("(1,)", bytes(4))), 0)
    with own_copy():
        refused(FILE, "permission denied (secret.npy)", "print", "secret.npy", preexec_fn=as_nobody)


def C23():
    refused(FILE, "the file is empty", "print", write("in.npy", b""))


def C24():
    result = refused(FILE, "it starts with '\\x00\\x00", "print", "/dev/zero")
    expect("/dev/zero" in result.err, str(result))


@contextlib.contextmanager
def endless(start):
    """A stream that begins like this and never ends."""
    write("start", start)
    with subprocess.Popen(["cat", "start", "/dev/zero"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as child:
        yield child.stdout
        child.kill()


def C25():
    with endless(npy("(65536, 65536)")) as stream:
        refused(MEMORY, "the array needs 16.0 GiB; a stream may give 8.0 GiB", "print", "-", stdin=stream)
    start = safetensors({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})
    with endless(start) as stream:
        refused(MEMORY, "try --limits bytes=", "print", "-", "--limits", "bytes=1M", stdin=stream)


def C26():
    refused(USAGE, "standard input can be read only once", "conv", "-", "-", stdin=read("x.npy"))


def C27():
    refused(FILE, "it is not open (standard input)", "print", "-", stdin=None, preexec_fn=lambda: os.close(0))


def C28():
    result = refused(FILE, "(a\\x1b[2J\\x0ab.npy)", "print", "a\x1b[2J\nb.npy")
    expect("\x1b" not in result.err, str(result))
    refused(USAGE, "no type of file", "generate", "ramp", "--shape", "2", "-o", "a\x1b[2J\nb")


def C29():
    name = b"\xff\xfe.npy"
    shutil.copy("x.npy", name)
    expect(done("print", name) == done("print", "x.npy"), "another file was printed")
    refused(FILE, "(\\xff.npy)", "print", b"\xff.npy")


def C30():
    refused(FILE, "the name is too long", "print", "n" * 5000)
    refused(FILE, "the name is too long", "generate", "ramp", "--shape", "2", "-o", "n" * 5000 + ".npy")


def C31():
    shutil.copy("x.npy", "-x.npy")
    refused(USAGE, "hint: put -- before", "print", "-x.npy")
    expect(done("print", "--", "-x.npy") == done("print", "x.npy"), "another file was printed")


def C32():
    result = refused(FILE, "it starts with '\\x7fELF", "print",
                     write("in.dat", b"\x7fELF\2\1\1\0" + bytes(56)))
    expect(".npy, .npz, .safetensors, PNG, JPEG and WAV are read" in result.err, str(result))


def C33():
    done("generate", "ramp", "--shape", "1,1,2,2", "-o", "image.png", "-q")
    shutil.copy("image.png", "image.npy")
    expect(done("print", "image.npy") == done("print", "image.png"), "the name decided")


def archive(name, members):
    with zipfile.ZipFile(name, "w") as file:
        for member in members:
            file.writestr(member + ".npy", npy("(1,)", bytes(4)))
    return name


def C34():
    result = refused(USAGE, "it holds x, w, b", "print", archive("in.npz", "xwb"))
    expect("holds 3 tensors" in result.err and "hint: write FILE:NAME" in result.err, str(result))


def C35():
    refused(FILE, "no tensor is named 'X'; it holds x, w, b", "print", archive("in.npz", "xwb") + ":X")


def C36():
    tensors = {f"layer{i}.weight": {"dtype": "U8", "shape": [1],
                                    "data_offsets": [i, i + 1]} for i in range(5000)}
    write("many.safetensors", safetensors(tensors, bytes(5000)))
    refused(FILE, "it holds 5000, the nearest layer123.weight, ", "print", "many.safetensors:layer123.wieght")


# ---- outputs ------------------------------------------------------------------------------------

def C38():
    refused(FILE, "w.npy exists (-o)", "convert", "x.npy", "-o", "w.npy")


def C39():
    os.symlink("x.npy", "link.npy")
    os.link("x.npy", "hard.npy")
    for name in ("x.npy", "link.npy", "hard.npy", "./x.npy"):
        refused(USAGE, "are the same file", "convert", "x.npy", "-o", name, "-f")
    refused(USAGE, "are the same file", "conv", "x.npy", "w.npy", "-o", "w.npy", "-f")
    archive("in.npz", "xwb")
    refused(USAGE, "are the same file", "convert", "in.npz:x", "-o", "in.npz", "-f")


def C40():
    refused(FILE, "no such file or folder (no/y.npy)", "convert", "x.npy", "-o", "no/y.npy")
    os.mkdir("locked", 0o555)
    with own_copy():
        refused(FILE, "permission denied (locked/y.npy)", "convert", "x.npy", "-o", "locked/y.npy",
                preexec_fn=as_nobody)
    expect(os.listdir("locked") == [], "something was created")


def C41():
    with open("/dev/full", "wb") as full:
        refused(FILE, "no space left on the device", "convert", "x.npy", "-o", "-", stdout=full)
        refused(FILE, "cannot write to standard output", "print", "x.npy", stdout=full)


FULL_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>
/* Of files there is room for 100,000 bytes, then none. */
typedef ssize_t writer(int, const void *, size_t);
ssize_t write(int fd, const void *bytes, size_t count)
{
    static size_t room = 100000;
    writer *next = (writer *)dlsym(RTLD_NEXT, "write");
    if (fd <= 2) return next(fd, bytes, count);
    if (room == 0) return errno = ENOSPC, -1;
    if (count > room) count = room;
    room -= count;
    return next(fd, bytes, count);
}
"""


def C42():
    write("full.c", FULL_DISK.encode())
    compiler = os.environ.get("CC", "cc")
    subprocess.run([*compiler.split(), "-shared", "-fPIC", "-w", "full.c", "-o", "full.so", "-ldl"],
                   check=True)
    shim = {"LD_PRELOAD": os.path.abspath("full.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"}
    make = ("generate", "ramp", "--shape", "100000", "-f", "-o")
    refused(FILE, "no space left on the device (y.npy)", *make, "y.npy", env=shim)
    shutil.copy("x.npy", "old.npy")
    refused(FILE, "/old.npy)", *make, "old.npy", env=shim)
    expect(read("old.npy") == read("x.npy"), "the old file changed")


def C43():
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as pipe:
        result = run("generate", "ramp", "--shape", "1000000", "--json", stdout=pipe)
    expect(result.code == -signal.SIGPIPE and result.err == "", str(result))


def C44():
    terminal, theirs = pty.openpty()
    refused(USAGE, "refusing to write a .npy to the terminal", "convert", "x.npy", "-o", "-", stdout=theirs)
    os.close(theirs)
    os.close(terminal)


def C45():
    refused(USAGE, "ends like 'y.dat'; must end in .npy, .npz, .safetensors, .png or .wav", "convert", "x.npy",
            "-o", "y.dat")
    refused(USAGE, "ends like 'y'", "convert", "x.npy", "-o", "y")


def C46():
    refused(USAGE, "gives 5 channels; a PNG has 1 to 4", "generate", "ramp", "--shape", "5,7,7", "-o",
            "y.png")


def C47():
    refused(FILE, "1 of 4 numbers are NaN or infinite", "convert", "[[0,1],[nan,0]]", "-o", "y.png")
    refused(FILE, "2 of 4 numbers are NaN or infinite", "convert", "[[0,-inf],[inf,0]]", "-o", "y.png")


def C48():
    result = run("convert", "[[-3.5,0.5],[412,1]]", "-o", "y.png")
    note = "2 of 4 numbers lie outside 0..1 (from -3.5 to 412) and were clipped"
    expect(result.code == 0 and note in result.err,
           str(result))
    result = run("convert", "[[0,1]]", "-o", "inside.png")
    expect(result.code == 0 and result.err == "", str(result))


# ---- operands that do not fit -------------------------------------------------------------------

def C49():
    write("w64.npy", npy("(8, 4, 3, 3)", bytes(8 * 288), "<f8"))
    refused(USAGE, "hint: faltung convert w64.npy -o FILE.npy --dtype f32", "conv", "x.npy", "w64.npy")


def C50():
    refused(USAGE, "input has 4 channels, weight expects 3", "conv", "x.npy", "[[[[1]],[[2]],[[3]]]]")


def C51():
    refused(USAGE, "kernel 2 is larger than the padded input 1", "conv", "[[1]]", "[[1,2],[3,4]]")


def C53():
    write("objects.npy", npy("(1,)", b"\x80\4K\1.", "|O"))
    refused(FILE, "reading a pickle runs code from the file, so it is never done", "print", "objects.npy")


def C54():
    write("bomb.npy", b"\x93NUMPY\2\0\xf0\xff\xff\xff")
    result = refused(FILE, "a header of 4294967280 bytes; at most 65536", "print", "bomb.npy")
    expect("try --limits npy-header=4294967280" in result.err, str(result))


def C55():
    name, size, stored = b"x.npy", 40 * 10**9, 40
    fields = struct.pack("<HHIIIIH", 8, 8, 0x210000, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name))
    extra = struct.pack("<HHQQ", 1, 16, size, stored)
    local = b"PK\3\4\x14\0" + fields + b"\0\0" + name + bytes(stored)
    central = b"PK\1\2\x14\0\x14\0" + fields + struct.pack("<H10xI", len(extra), 0) + name + extra
    end = struct.pack("<4s4xHHIIH", b"PK\5\6", 1, 1, len(central), len(local), 0)
    write("bomb.npz", local + central + end)
    result = refused(MEMORY, "37.3 GiB unpacked; at most 8.0 GiB", "print", "bomb.npz")
    expect("try --limits bytes=40000000000" in result.err, str(result))


def C56():
    data = npy("(3,)", bytes(12))
    result = refused(MEMORY, "bytes; a stream may give 10 bytes", "print", "-", "--limits", "bytes=10",
                     stdin=data)
    expect("try --limits bytes=" in result.err, str(result))
    done("print", "-", "--limits", "bytes=1K", stdin=data)
    refused(USAGE, "multiply-adds; at most 100", "conv", "x.npy", "w.npy", "--limits", "work=100")


def C57():
    for text in ("bytes=5X", "bytes=-1", "bytes=1.5G", "bytes=", "bytes", "bytes=0", "bytes=9999999999T"):
        refused(USAGE, "N a whole number above 0, or one with K, M, G or T", "print", "x.npy", "--limits",
                text)
    refused(USAGE, "there is no limit 'memory'; must be one of bytes,", "print", "x.npy", "--limits",
            "memory=1G")


# ---- the surroundings ---------------------------------------------------------------------------

def C58():
    for text in ("0", "-1", "1000000"):
        refused(USAGE, f"threads is {text}; must be 1..1024", "conv", "x.npy", "w.npy", "--threads", text)
    refused(USAGE, "'abc' is not a whole number (--threads)", "conv", "x.npy", "w.npy", "--threads", "abc")


def C59():
    refused(USAGE, "must be 1..1024 (FALTUNG_THREADS)", "conv", "x.npy", "w.npy",
            env={"FALTUNG_THREADS": "abc"})


def C60():
    expected = done("conv", "x.npy", "w.npy", env={"FALTUNG_CPU": "generic"})
    expect(len(done("conv", "x.npy", "w.npy", env={"FALTUNG_CPU": "avx512"})) > 0,
           "the cap is above the machine")
    expect(len(expected) > 0, "no output")
    refused(USAGE, "must be one of generic, avx2, avx512 (FALTUNG_CPU)", "conv", "x.npy", "w.npy",
            env={"FALTUNG_CPU": "sse9"})


def C61():
    odd = {"LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8",
           "TZ": "Asia/Kathmandu"}
    for arguments in (("print", "[0.5,1e-7]"), ("conv", "x.npy", "w.npy"), ("diff", "x.npy", "x.npy")):
        expect(done(*arguments, env=odd) == done(*arguments), arguments)
    done("convert", "x.npy", "-o", "a.npz", env=odd)
    done("convert", "x.npy", "-o", "b.npz")
    expect(read("a.npz") == read("b.npz"), "the files differ")


def C62():
    refused(USAGE, "axis 1 has 1 items here, 2 before", "print", "[[1,2],[3]]")


def C63():
    refused(USAGE, "a number is missing at character 4", "print", "[1,,2]")


def C64():
    refused(USAGE, "that number does not fit float32", "print", "[1e999]")
    expect(done("print", "[nan,inf]") == b"[nan, inf]\n", "NaN is a float32")


def C65():
    done("generate", "constant", "--shape", "1,1,4,4", "-o", "image.npy")
    with endless(npy("(65536, 65536)")) as stream:
        refused(MEMORY, "a stream may give 8.0 GiB", "filter", "image.npy", "--kernel", "-", stdin=stream)


def C66():
    layers = b'[\r\n {"kernel": 3},\r\n {"kernel": 3, "stride": 2}\r\n]\r\n'
    done("receptive-field", write("layers.json", layers))
    refused(FILE, "no JSON", "receptive-field", write("zero.json", layers.replace(b"3", b"3\0")))
    expect(done("print", "[1,\r\n 2]") == b"[1, 2]\n", "line ends are blanks")


def interrupted(number):
    """Sends the signal as soon as the temporary file exists, or its finished form."""
    before = set(os.listdir("."))
    with subprocess.Popen([COMMAND, "generate", "ramp", "--shape", "30000000", "-o", "big.npy"], env=SAFE,
                          stderr=subprocess.PIPE) as child:
        while child.poll() is None and set(os.listdir(".")) == before:
            time.sleep(0.0005)
        child.send_signal(number)
        child.communicate()
    return child.returncode, set(os.listdir(".")) - before


def C69():
    for number in (signal.SIGINT, signal.SIGTERM):
        code, left = interrupted(number)
        expect(code == 128 + number, f"exit {code} after {number}")
        expect(left == set(), f"left: {left}")


def C70():
    if SANITIZED:  # reserves address space at will, so that only an impossible request fails
        refused(MEMORY, "cannot allocate", "generate", "ramp", "--shape", str(1 << 50), "-o", "y.npy",
                env={"ASAN_OPTIONS": "allocator_may_return_null=1"})
        return
    limit = 200 << 20
    refused(MEMORY, "cannot allocate 100000000 elements of 4 bytes", "generate", "ramp", "--shape",
            "100000000",
            "-o", "y.npy", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    with open("sparse.npy", "wb") as file:
        file.write(npy("(100000000,)"))
        file.truncate(file.tell() + 400000000)
    refused(MEMORY, "cannot allocate 381.5 MiB for the array", "print", "sparse.npy",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))


def C71():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    refused(FILE, "the file would be too large", "generate", "ramp", "--shape", "100000", "-o", "y.npy",
            preexec_fn=limit)


def C72():
    """The limit falls while the command waits for its first operand.
    (A sanitizer's look for leaks needs files.)"""
    environment = {**SAFE, "ASAN_OPTIONS": "detect_leaks=0"}
    with subprocess.Popen([COMMAND, "conv", "-", "w.npy"], env=environment, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        data = read("x.npy")
        child.stdin.write(data[:100])
        child.stdin.flush()
        time.sleep(0.3)
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (3, 3))
        out, err = child.communicate(data[100:])
    said(Result(child.returncode, out, err), FILE, "too many open files")


def C73():
    for fd in (0, 1, 2):
        done("convert", "x.npy", "-o", f"copy{fd}.npy", stdin=None, preexec_fn=lambda fd=fd: os.close(fd))
        expect(read(f"copy{fd}.npy") == read("x.npy"), f"without {fd} the copy differs")
    refused(FILE, "cannot write to standard output", "print", "x.npy", preexec_fn=lambda: os.close(1))
    silent = run("print", "in.npy", preexec_fn=lambda: os.close(2))
    expect(silent.code == FILE and silent.err == "", str(silent))


def C74():
    """Newer kernels put an empty name in; older ones really start a program without arguments."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(theirs, 2)
        nothing = (ctypes.c_char_p * 1)(None)
        ctypes.CDLL(None).execve(COMMAND.encode(), nothing, nothing)
        os._exit(99)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        shown = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    expect(code == USAGE and b"faltung VERB" in shown, f"exit {code}: {shown!r}")


def C75():
    result = run("diff", "x.npy", "w.npy")
    expect(result.code == 1 and result.out == b"shapes differ: (1, 4, 8, 8) and (8, 4, 3, 3)\n", str(result))
    result = run("diff", "[1,2,3]", "[1,2.5,7]")
    largest = b"2 of 3 numbers differ; largest difference 4 at [2]: 3 and 7\n"
    expect(result.code == 1 and result.out == largest,
           f"{result} {result.out}")


def C76():
    before = listing()
    result = run("conv", "x.npy", "w.npy", "--stride", "0", "--json", "-o", "y.npy")
    expect(result.code == USAGE and result.out == b"" and result.err.count("\n") == 1, str(result))
    error = json.loads(result.err)["error"]
    expect(error["code"] == "E_STRIDE" and error["where"] == "--stride", str(result))
    expect(error["message"] == "stride is 0; must be at least 1", str(result))
    expect(listing() == before, "something was written")


# ---- all of them --------------------------------------------------------------------------------

def fixtures():
    os.mkdir("folder")
    done("generate", "random", "--shape", "1,4,8,8", "-o", "x.npy")
    done("generate", "random", "--shape", "8,4,3,3", "-o", "w.npy")
    done("generate", "random", "--shape", "9,1,3,3", "-o", "w9.npy")


def main():
    with open(os.path.join(HERE, "rows.inc"), encoding="utf-8") as file:
        rows = re.findall(r'^ROW\(command, (\w+), "(.*)"\)$', file.read(), re.M)
    only, covered = sys.argv[1:], 0
    for name, what in rows:
        if only and name not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            os.chdir(folder)
            try:
                fixtures()
                globals()[name]()
                covered += 1
            except Exception as failure:  # one row must not hide the next
                print(f"{name}, {what}: {failure}")
                if not isinstance(failure, AssertionError):
                    traceback.print_exc()
            os.chdir("/")
    print(f"refusals: command {covered} covered / {len(rows)} applicable")
    sys.exit(0 if only or covered == len(rows) else 1)


if __name__ == "__main__":
    main()
