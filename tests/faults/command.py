# SPDX-License-Identifier: BSD-3-Clause
"""Runs the command with faults, for test_command_*.py.

A Bench is a scratch folder with the files that the examples of the help texts speak of, and
standard output and error beside it. run() starts the command with faulty_libc.so before the C library
and returns what it did; the folder is compared by name and content, and put back before every run.
"""
import ctypes
import errno
import hashlib
import mmap
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("FALTUNG_BUILD_DIR", os.path.join(HERE, "../../build")))
COMMAND = os.path.abspath(os.environ.get("FALTUNG_COMMAND", os.path.join(BUILD, "faltung")))
LIBRARY = os.path.join(BUILD, "tests/faulty_libc.so")
DONE, NO, USAGE, FILE, MEMORY_EXIT = range(5)
FOREVER = 2**62
TEMPORARY = re.compile(r"\.faltung-\d+-\d+\.tmp")
# libzip 1.7 itself loses a block of less than 200 bytes at some of its failures.
LIBZIP = 1
with open(COMMAND, "rb") as binary:
    SANITIZED = b"__asan_init" in binary.read()

# fault_call, fault_action and the structs of faulty.h
CALLS = ("memory", "open", "stat", "read", "write", "seek", "sync", "close", "link", "rename", "unlink")
(MEMORY, OPEN, STAT, READ, WRITE, SEEK, SYNC, CLOSE, LINK, RENAME, UNLINK) = range(len(CALLS))
ERROR, SHORT, BEFORE, AFTER = 1, 2, 3, 4
FAULTS = 2


class Fault(ctypes.Structure):
    """fault: at calls first, first + step, ... last of its kind."""
    _fields_ = [(name, ctypes.c_int64) for name in ("call", "action", "number", "first", "last", "step")]


class State(ctypes.Structure):
    """fault_state."""
    _fields_ = [("armed", ctypes.c_int64), ("live", ctypes.c_int64), ("fired", ctypes.c_int64),
                ("calls", ctypes.c_int64 * len(CALLS)), ("begun", ctypes.c_int64 * FAULTS),
                ("faults", Fault * FAULTS)]


def once(call, k, action=ERROR, number=errno.ENOMEM):
    return Fault(call, action, number, k, k, 1)


def always(call, k=1, action=ERROR, number=errno.ENOMEM, step=1):
    return Fault(call, action, number, k, FOREVER, step)


class Run:
    """What one run did."""
    def __init__(self, status, state, out, err, folder):
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        self.calls, self.live, self.fired = list(state.calls), state.live, state.fired
        self.ended = bool(state.armed)  # elsewhere than by the return of main()
        self.out, self.err, self.folder = out, err, folder

    def same(self, other):
        """The same answer: code, text and files."""
        return (self.code, self.out, self.folder) == (other.code, other.out, other.folder)

    def __str__(self):
        end = f"signal {self.signal}" if self.signal else f"exit {self.code}"
        return f"{end}: {self.err!r}"


class Bench:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="faltung-faults-")
        self.folder = os.path.join(self.top, "folder")
        self.first = os.path.join(self.top, "first")
        os.mkdir(self.folder)
        os.mkdir(os.path.join(self.top, "bin"))
        os.symlink(COMMAND, os.path.join(self.top, "bin/faltung"))
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("FALTUNG_")}
        self.env.update(FALTUNG_THREADS="2", LC_ALL="C",
                        PATH=os.path.join(self.top, "bin") + os.pathsep + os.environ["PATH"])
        fixtures = os.path.join(HERE, "../cli/fixtures.sh")
        subprocess.run(["sh", fixtures], cwd=self.folder, env=self.env, check=True)
        self.add_files()
        self.page_file = os.memfd_create("faults")
        os.ftruncate(self.page_file, mmap.PAGESIZE)
        self.page = State.from_buffer(mmap.mmap(self.page_file, mmap.PAGESIZE))
        os.set_inheritable(self.page_file, True)
        self.faulty_env = dict(self.env, LD_PRELOAD=LIBRARY, FAULTY_FD=str(self.page_file))
        if SANITIZED:
            spared = os.path.join(self.top, "spared")
            with open(spared, "w", encoding="ascii") as file:
                file.write("leak:libzip.so\n")
            # The slow unwinder sees libzip, which keeps no frame pointers, in the stack of a leaked block.
            self.faulty_env["ASAN_OPTIONS"] = ("verify_asan_link_order=0:allocator_may_return_null=1:"
                                               "fast_unwind_on_malloc=0")
            self.faulty_env["LSAN_OPTIONS"] = f"suppressions={spared}:print_suppressions=0"
        self.seal()

    def add_files(self):
        """A file of every other kind, damaged ones, and old ones to be overwritten."""
        data = os.path.join(HERE, "../io/data")
        for source, name in ((os.path.join(HERE, "photo.jpg"), "photo.jpg"),
                             (os.path.join(data, "deflated.npz"), "deflated.npz"),
                             (os.path.join(data, "c3_d8.png"), "palette.png"),
                             (os.path.join(data, "fortran.npy"), "fortran.npy")):
            shutil.copy(source, os.path.join(self.folder, name))
        for line in ("convert x.npy -o x.safetensors", "generate random --shape 1,2,500 -o sound.wav"):
            subprocess.run(["faltung", *line.split()], cwd=self.folder, env=self.env, check=True)
        for ending in ("npy", "npz", "png", "safetensors", "wav"):
            self.write("old." + ending, b"an old file\n")
        for name in ("x.npy", "weights.npz", "photo.png", "x.safetensors"):
            with open(os.path.join(self.folder, name), "rb") as file:
                self.write("damaged" + os.path.splitext(name)[1], file.read()[:-40])
        self.write("layers.json",
                   b'{"layers": [{"name": "a", "kernel": 3}, {"kernel": 4, "padding": [1, 2]}]}')

    def write(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def close(self):
        shutil.rmtree(self.top)

    def seal(self):
        """The folder as it is now is what every run begins with."""
        shutil.rmtree(self.first, ignore_errors=True)
        shutil.copytree(self.folder, self.first)
        self.begin = self.look()

    def look(self):
        """Name and content of every file."""
        found = {}
        for name in os.listdir(self.folder):
            with open(os.path.join(self.folder, name), "rb") as file:
                found[name] = hashlib.blake2b(file.read()).digest()
        return found

    def restore(self, found):
        for name in found.keys() | self.begin.keys():
            path = os.path.join(self.folder, name)
            if name not in self.begin:
                os.unlink(path)
            elif found.get(name) != self.begin[name]:
                shutil.copy(os.path.join(self.first, name), path)

    def start(self, arguments, faults=(), stdin=os.devnull, preload=True):
        """Starts the command in the folder; its output goes to files beside it."""
        ctypes.memset(ctypes.byref(self.page), 0, ctypes.sizeof(State))
        for i, fault in enumerate(faults):
            self.page.faults[i] = fault
        files = [(os.POSIX_SPAWN_OPEN, 0, os.path.join(self.folder, stdin), os.O_RDONLY, 0)]
        for fd, name in ((1, "out"), (2, "err")):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            files.append((os.POSIX_SPAWN_OPEN, fd, os.path.join(self.top, name), flags, 0o600))
        os.chdir(self.folder)
        env = self.faulty_env if preload else self.env
        return os.posix_spawn(COMMAND, ["faltung", *arguments], env, file_actions=files)

    def finish(self, process):
        _, status = os.waitpid(process, 0)
        texts = []
        for name in ("out", "err"):
            with open(os.path.join(self.top, name), "rb") as file:
                texts.append(file.read())
        texts[1] = re.sub(rb"(?m)^==\d+==WARNING.*\n", b"", texts[1])  # a sanitizer's remarks
        found = self.look()
        result = Run(status, self.page, *texts, found)
        if found != self.begin:
            self.restore(found)
        return result

    def run(self, arguments, faults=(), stdin=os.devnull):
        return self.finish(self.start(arguments, faults, stdin))

    def keep(self, arguments):
        """Runs a line for the files that it makes, which later lines read."""
        nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([COMMAND, *arguments], cwd=self.folder, env=self.env, check=True, **nothing)
        self.seal()

    @staticmethod
    def examples():
        """The examples of every verb, as arguments; those that need a shell are left out."""
        told = subprocess.run([COMMAND, "help", "--examples"], check=True, capture_output=True)
        lines = [line for line in told.stdout.decode().splitlines() if not re.search(r"[|<>;&]", line)]
        return [shlex.split(line)[1:] for line in lines]


class Report:
    """Counts what was visited, and keeps what was wrong."""
    def __init__(self):
        self.total, self.wrong = 0, []

    def expect(self, holds, what):
        if not holds:
            self.wrong.append(what)
            if len(self.wrong) <= 2000:
                print("wrong:", what, flush=True)
        return holds

    @staticmethod
    def line(text):
        print(text, flush=True)

    def end(self, what):
        state = "all clean" if not self.wrong else f"{len(self.wrong)} wrong"
        print(f"faults: {self.total} {what} visited, {state}")
        sys.exit(1 if self.wrong else 0)


def error_line(run):
    """One line that names the program, and at most a hint."""
    lines = run.err.decode("ascii", "replace").splitlines()
    if not lines or not re.fullmatch(r"faltung( [a-z-]+)?: error: [ -~]+|\{\"error\":[ -~]+\}", lines[0]):
        return False
    return len(lines) == 1 or len(lines) == 2 and re.fullmatch("hint: [ -~]+", lines[1]) is not None


def need_library():
    """Skips where the interposer is not built."""
    if not os.path.exists(LIBRARY):
        print(f"{LIBRARY} is not built")
        sys.exit(77)


def signal_name(number):
    return signal.Signals(number).name
