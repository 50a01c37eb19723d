# SPDX-License-Identifier: BSD-3-Clause
"""performance.py COMMAND [SECONDS]: times all layer sets against the other libraries of a build and writes
docs/performance.md from what came out. `make performance` builds with them and calls this.

Best run on a machine that does nothing else: it takes about fifteen minutes. SECONDS [0.1] is the time of
each layer in each layout; heavy layers take longer.
"""
import json
import math
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FULL = "--peers --threads 1"
ALONE = {"largekernel", "longfilter"}  # sets that other libraries take minutes over
# The rest goes without peers and is held against the full run.
TWO_THREADS = "--set all --threads 2"
SWEEP = "--count 60"
CAPPED, CAP = "--set all --threads 1", {"FALTUNG_CPU": "avx2"}
# Threads that wait for one another are as slow as the one that has no processor: above this load at the
# beginning only runs of one thread say anything.
MOST_LOAD = 0.5
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_THREAD_TIMEOUT": "4"}
CORE = {"OPENBLAS_CORETYPE": "SKYLAKEX"}


def bench(command, words, environment):
    done = subprocess.run([command, "bench", *words.split(), "--json"], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **environment})
    return json.loads(done.stdout)


def full_run(command, words, environment):
    """All sets, one after the other, as one telling."""
    told = None
    for path in sorted((ROOT / "bench/sets").glob("*.txt")):
        peers = words.replace("--peers ", "") if path.stem in ALONE else words
        one = bench(command, f"--set {path.stem} {peers}", environment)
        if told is None:
            told = one
            continue
        for field in ("runs", "geometric_means"):
            told[field] += one[field]
    return told


def openblas_version(told):
    return next((peer["version"] for peer in told["peers"] if peer["name"] == "openblas"), None)


def cpu():
    """Model, processors and flags as the kernel tells them."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", text, re.M))
    name = f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family', '?')}, " \
           f"model {fields.get('model', '?')})"
    return name, text.count("processor\t"), fields.get("flags", "").split()


def compiler(command):
    """The compiler that the command's own notes name."""
    notes = subprocess.run(["readelf", "-p", ".comment", command], capture_output=True, text=True).stdout
    found = re.search(r"\]\s+(.*)$", notes, re.M)
    return found[1].strip() if found else "unknown"


def revision():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def ratio(value):
    return f"{value:.2f}" if value else "-"


def percent(part):
    return f"{100 * part:.1f}" if part else "-"


def mean(one, layers):
    if one is None:
        return "-"
    return f"{one['ratio']:.2f}" + ("" if one["layers"] == layers else f" ({one['layers']})")


def summary(told):
    """The geometric means, one row a set and layout."""
    names = ["one-call", *(peer["name"] for peer in told["peers"]), "best"]
    yield "| set | layers | layout | % of peak | GB/s | " + " | ".join(names) + " |"
    yield "|---|---:|---|---:|---:|" + "---:|" * len(names)
    for means in told["geometric_means"]:
        of = {one["name"]: one for one in means["ratios"]}
        cells = [mean(of.get(name), means["layers"]) for name in names]
        yield (f"| {means['set']} | {means['layers']} | {means['layout']} |"
               f" {percent(means['part_of_peak'])} | {means['gb_per_s']:.1f} | " + " | ".join(cells) + " |")


def layer_rows(told, name):
    """Every run of a set."""
    peers = [peer["name"] for peer in told["peers"]]
    yield ("| layer | layout | MFLOP | us | spread | GFLOP/s | % of peak | GB/s | one-call | "
           + " | ".join(peers) + " | solver |")
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|" + "---:|" * len(peers) + "---|"
    for run in told["runs"]:
        if run["set"] != name:
            continue
        of = {one["name"]: one for one in run["contenders"]}
        ours = of["prepacked"]
        spread = (ours["high_ns"] - ours["low_ns"]) / ours["time_ns"]
        others = []
        for other in ["one-call", *peers]:
            one = of.get(other, {})
            others.append("differs" if one.get("differs") else ratio(one.get("time_ns", 0) / ours["time_ns"]))
        yield (f"| {run['name'] or run['layer']} | {run['layout']} | {run['flops'] / 1e6:.1f} | "
               f"{ours['time_ns'] / 1e3:.1f} | {100 * spread:.0f}% | {ours['gflops']:.1f} | "
               f"{percent(ours['part_of_peak'])} | {ours['gb_per_s']:.1f} | " + " | ".join(others)
               + f" | {ours['detail']} |")


def machine(told, command, usual_core, built):
    name, processors, flags = cpu()
    where = " of a virtual machine" if "hypervisor" in flags else ""
    yield f"- CPU: {name}, {processors} processors{where}; instruction set {told['level']}."
    yield (f"- Peak of float32 multiply-adds, one thread, median over the run: {told['peak_gflops']:.1f}"
           f" GFLOP/s. Copying between two arrays of {told['copy_bytes'] >> 20} MiB:"
           f" {told['copy_gb_per_s']:.1f} GB/s.")
    yield f"- {platform.system()} {platform.release()}; compiled by {compiler(command)}."
    yield (f"- faltung {told['version']} ({told['executor']}), revision {built}, run on"
           f" {time.strftime('%Y-%m-%d', time.gmtime())}.")
    yield "- Peers: " + ", ".join(f"{peer['name']} {peer['version']}" for peer in told["peers"]) + "."
    core = openblas_version(told)
    if core != usual_core:
        yield (f"- OpenBLAS ran as `{core}`, because OPENBLAS_CORETYPE=SKYLAKEX was set: left alone it takes"
               f" this CPU for `{usual_core.split()[-1]}`.")


HEAD = """# Performance

This page is written by `make performance` from the runs below; nothing in it is typed. The numbers hold for
one machine and one day; `faltung bench` gives them for yours.
"""

METHOD = """## How to read the tables

- One call of a layer in float32, warm, batch as the layer says, median of many; spread is the distance
  between the tenth and the ninetieth of a hundred samples, over the median. Contenders and the loop that
  measures the peak take turns, sample by sample, and all operands move to other addresses three times.
- us, GFLOP/s and % of peak are those of a plan with weights packed beforehand. Operations are counted
  directly: two for each product, those with padding included. Winograd does fewer, and layers that skip
  padding too, so more than 100 % is possible. The peak was measured beside each layer. GB/s are the bytes of
  all operands, each read or written once, a second: what counts where little or nothing is computed.
- All other columns say how many times longer than that a call took: above 1 this library is faster.
  `one-call` is this library planning, packing and computing in one call. `openblas` is im2col and sgemm.
  `onednn` gets the layout of the row; `onednn-any` and `onednn-winograd` keep x and y in whatever layout
  oneDNN likes, without the time to bring them there. `xnnpack` is NHWC only. `rows` is unfolding by a memcpy
  a row, `copy` a copy of as many bytes. `best` is the fastest of them, layer by layer. A mean over fewer
  layers than the set's has their number behind it; `-`: does not run such layers.
- Every peer's result was compared with ours before it was timed.
"""


CLIFFS = """Random layers, with odd strides, dilations, groups and sizes, each against a plain one with as
many operations. `part` is the time that its operations take at the plain layer's rate, and its bytes at the
rate of a copy, over the time it took; `rate alone` leaves the bytes out.
"""


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def held_against(told, full, counts):
    """A row for each set: how many times faster `told` is than `full` on the layers that count."""
    before = {(run["set"], run["layer"], run["layout"]): run for run in full["runs"]}
    ratios = {}
    for run in told["runs"]:
        base = before[run["set"], run["layer"], run["layout"]]
        if counts(base):
            value = base["contenders"][0]["time_ns"] / run["contenders"][0]["time_ns"]
            ratios.setdefault((run["set"], run["layout"]), []).append((value, run["name"] or run["layer"]))
    yield "| set | layout | layers | geometric mean | least | of layer |"
    yield "|---|---|---:|---:|---:|---|"
    for (name, layout), values in ratios.items():
        least, layer = min(values)
        mean_of_all = geometric_mean([value for value, _ in values])
        yield f"| {name} | {layout} | {len(values)} | {mean_of_all:.2f} | {least:.2f} | {layer} |"


def sweep(command):
    """What tools/sweep.py prints, one thread."""
    words = [sys.executable, "-B", ROOT / "tools/sweep.py", "--command", command, *SWEEP.split()]
    done = subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.rstrip("\n")


def takes_a_millisecond(run):
    return run["contenders"][0]["time_ns"] > 1e6


def write(command, seconds):
    before, built = os.getloadavg()[0], revision()
    usual_core = openblas_version(bench(command, "--set lenet --peers --seconds 0.001", ENVIRONMENT))
    environment = {**ENVIRONMENT, **(CORE if usual_core and "avx512f" in cpu()[2] else {})}
    full_words, threads_words, capped_words = (f"{words} --seconds {seconds}"
                                               for words in (FULL, TWO_THREADS, CAPPED))
    full = full_run(command, full_words, environment)
    capped = bench(command, capped_words, {**environment, **CAP}) if full["level"] == "avx512" else None
    swept = sweep(command)
    threads = bench(command, threads_words, environment) if before <= MOST_LOAD else None
    assigned = " ".join(f"{key}={value}" for key, value in environment.items())
    yield HEAD
    yield "## Where the numbers come from\n"
    yield from machine(full, command, usual_core, built)
    yield f"- Environment: `{assigned}`."
    yield (f"- Programs that wanted a processor before the run: {before:.1f}; after it, itself among them:"
           f" {os.getloadavg()[0]:.1f}." + ("" if threads else "\n"))
    if not threads:
        yield "- That is too busy a machine to time several threads: only runs of one thread follow.\n"
    yield METHOD
    yield f"## `faltung bench --set SET {full_words}`\n"
    yield "Geometric means:\n"
    yield from summary(full)
    if threads:
        yield f"\n## Two threads: `faltung bench {threads_words}`\n"
        yield "How many times faster than one thread, layers of more than a millisecond:\n"
        yield from held_against(threads, full, takes_a_millisecond)
    if capped:
        yield f"\n## Without AVX-512: `FALTUNG_CPU=avx2 faltung bench {capped_words}`\n"
        yield "Speed at the level avx2 over that at avx512:\n"
        yield from held_against(capped, full, lambda run: True)
    yield f"\n## Cliffs: `python3 tools/sweep.py {SWEEP}`\n"
    yield CLIFFS
    yield f"```text\n{swept}\n```"
    yield "\n## Every layer of the first run\n"
    for name in dict.fromkeys(run["set"] for run in full["runs"]):
        yield f"### {name}\n"
        yield from layer_rows(full, name)
        yield ""


page = "\n".join(write(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "0.1"))
(ROOT / "docs/performance.md").write_text(page.rstrip("\n") + "\n")
