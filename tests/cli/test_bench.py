# SPDX-License-Identifier: BSD-3-Clause
"""faltung bench: every set of bench/sets is known and readable, bad lines are refused with their place, and a
short run tells what it promises, with counts worked out by hand."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("FALTUNG_COMMAND", str(ROOT / "build/faltung"))
failed = 0


def complain(text):
    global failed
    failed = 1
    print(text)


def bench(*words, lines=None):
    return subprocess.run([COMMAND, "bench", *words], input=lines, capture_output=True, text=True)


def listed(*words, lines=None):
    done = bench(*words, "--list", lines=lines)
    if done.returncode:
        complain(f"{words}: {done.stderr}")
    return done.stdout.splitlines()


def check_sets():
    """The words of --set are the files; each gives all its layers, built in and read; `all` is all."""
    files = sorted((ROOT / "bench/sets").glob("*.txt"))
    words = bench("--set", "?").stderr.split("one of ")[1].split(" (")[0].split(", ")
    if words != ["all", *(file.stem for file in files)]:
        complain(f"--set takes {words}")
    everything = []
    for file in files:
        rows = [row for row in file.read_text().splitlines() if row.split("#")[0].strip()]
        layers = listed("--set", file.stem)
        everything += layers
        if not len(rows) == len(layers) == len(set(layers)):
            complain(f"{file.name}: {len(rows)} rows, {len(layers)} layers, {len(set(layers))} different")
        if listed("--layers", str(file)) != layers:
            complain(f"{file.name}: the set and the file differ")
        if listed("--layers", "-", lines="\n".join(layers)) != layers:
            complain(f"{file.name}: what --list prints reads differently")
    if listed("--set", "all") != everything:
        complain("--set all is not all of them")
    if listed() != listed("--set", "resnet50"):
        complain("without --set it is not resnet50")


GOOD = "conv ic4 oc8 in9x9 k3x3"
REFUSED = [
    ("convolve ic4 oc8 in9 k3", "'convolve' is not an operator; must be one of conv,"),
    ("conv oc8 in9 k3", "'ic' is missing; a layer needs ic, oc, in and k"),
    ("conv ic4 oc8 k3", "'in' is missing"),
    ("max-pool in9x9 k3", "'ic' is missing; a layer needs ic, in and k"),
    ("max-pool ic4 oc4 in9x9 k3", "'oc4' has no meaning for max-pool; a layer needs ic, in and k"),
    ("max-pool ic4 in9x9 k3 p-1", "'p-1' is not a padding"),
    ("pad ic4 in9x9 psame", "pad has a rule; must be p1, p1x2 or p0:1"),
    ("upsample ic4 in9x9 k2 s2", "'k2' has no meaning for upsample"),
    ("deform-conv ic4 oc4 in9 k3", "a deformable layer of 1 axes; must have two"),
    (GOOD + " q2", "'q2' is not a part of a layer; must be a key and its value"),
    (GOOD + " s", "'s' has no such value; must be like 3, 3x3 or 3x3x3"),
    (GOOD + " s2x", "'s2x' has no such value"),
    (GOOD + " s0", "'s0' has no such value"),
    (GOOD + " s2x2x2x2", "'s2x2x2x2' has no such value"),
    (GOOD + " s2x2x2", "'s' has another number of axes than 'in'"),
    (GOOD + " n-1", "'n-1' has no such value; must be one number in 1..2147483647"),
    (GOOD + " n99999999999", "'n99999999999' has no such value"),
    (GOOD + " p1:", "'p1:' is not a padding; must be p1, p1x2, p0:1,"),
    (GOOD + " psome", "'psome' is not a padding"),
    (GOOD + " k3", "'k3' is a second value; each key may stand once"),
    (GOOD + " g3", "groups"),
    ("conv ic4 oc8 in9x9 k11x3", "kernel 11 is larger than the padded input 9"),
    (GOOD + " " * 160, "the line that begins 'conv ic4"),
]


def check_refusals():
    for line, message in REFUSED:
        done = bench("--layers", "-", lines=f"# a comment\n{GOOD} # good\n\n{line}\n")
        if done.returncode != 3 or message not in done.stderr or "(-:4)" not in done.stderr:
            complain(f"{line!r} gives {done.returncode}: {done.stderr}")
    for words, code, message in [
        (["--layers", "none.txt"], 3, "cannot open none.txt"),
        (["--layers", "/dev/null"], 3, "no layer is in /dev/null"),
        (["--layers", "-", "--set", "lenet"], 2, "exclude each other"),
        (["--seconds", "0"], 2, "must be above 0"),
        (["--seconds", "nan"], 2, "must be above 0"),
    ]:
        done = bench(*words, lines="")
        if done.returncode != code or message not in done.stderr:
            complain(f"{words} gives {done.returncode}: {done.stderr}")


KINDS = """conv n2 ic4 oc6 in9 k3 p1:0 # signal
conv ic4 oc6 g2 in9x8 k3x2 s2x1 d1x2 psame # plane
conv ic4 oc6 in5x6x7 k2 p1 # volume
conv-transpose ic4 oc6 in5 k3 s2 op1 # wider
grad-input ic4 oc6 in9x8 k3 s2 # to the input
grad-weight ic4 oc6 in9x8 k3 # to the weight
"""
# 2 * output elements (transposed: input elements) * products of each.
FLOPS = [2 * 2 * 6 * 8 * 12, 2 * 6 * 5 * 8 * 2 * 6, 2 * 6 * 6 * 7 * 8 * 4 * 8, 2 * 4 * 5 * 6 * 3,
         2 * 6 * 4 * 3 * 4 * 9, 2 * 6 * 7 * 6 * 4 * 9]


def check_run(words, layouts):
    done = bench("--layers", "-", "--json", "--seconds", "0.001", "--threads", "1", *words, lines=KINDS)
    if done.returncode:
        return complain(done.stderr)
    told = json.loads(done.stdout)
    if told["schema"] != 1 or told["threads"] != 1 or min(told["peak_gflops"], told["copy_gb_per_s"]) <= 0:
        complain(f"the machine is {told}")
    lines = [line.split(" # ") for line in KINDS.splitlines()]
    expected = [(*line, layout, flops) for line, flops in zip(lines, FLOPS) for layout in layouts]
    found = [(run["layer"], run["name"], run["layout"], run["flops"]) for run in told["runs"]]
    if found != expected:
        complain(f"the runs are {found}, not {expected}")
    for run in told["runs"]:
        check_contenders(run)
    for means, layout in zip(told["geometric_means"], layouts, strict=True):
        ours = [run["contenders"] for run in told["runs"] if run["layout"] == layout]
        ratio = 1.0
        for prepacked, one_call, *_ in ours:
            ratio *= (one_call["time_ns"] / prepacked["time_ns"]) ** (1 / len(ours))
        told_ratio = means["ratios"][0]
        if means["layers"] != len(ours) or told_ratio["name"] != "one-call":
            complain(f"the means are {means}")
        if abs(told_ratio["ratio"] / ratio - 1) > 1e-9:
            complain(f"the mean of one-call is {told_ratio['ratio']}, not {ratio}")


def check_contenders(run):
    names = [one["name"] for one in run["contenders"]]
    if names[:2] != ["prepacked", "one-call"]:
        complain(f"{run['layer']}: contenders {names}")
    for one in run["contenders"]:
        if one.get("differs"):
            complain(f"{run['layer']}, {run['layout']}: {one['name']} differs")
        elif not 0 < one["low_ns"] <= one["time_ns"] <= one["high_ns"] or one["samples"] < 4:
            complain(f"{run['layer']}: the times are {one}")
        elif abs(one["gflops"] * one["time_ns"] / run["flops"] - 1) > 1e-9:
            complain(f"{run['layer']}: GFLOP/s are not operations by time: {one}")
        elif abs(one["part_of_peak"] * run["peak_gflops"] / one["gflops"] - 1) > 1e-9:
            complain(f"{run['layer']}: the part of the peak is {one}")


PLAIN = """max-pool n2 ic3 in9x8 k3x2 s2 p1 # max
average-pool ic3 in9 k2 # average
global-pool ic5 in4x3x2 # global
unfold ic3 in6x5 k3x2 s1 p1 # unfold
fold ic3 in6x5 k3x2 s1 p1 # fold
pad n2 ic3 in6x5 p1x0:2 # pad
upsample ic3 in6x5 s2x3 # linear
upsample-nearest ic3 in6x5 s3x2 # nearest
deform-conv ic4 oc6 in6x5 k3x2 p1 # v1
deform-conv-v2 ic4 oc6 in6x5 k3x2 p1 # v2
deform-grad ic4 oc6 in6x5 k3x2 p1 # gradients
"""
# Elements of all tensors, and of those with products their number: twice where there are two of them.
PLAIN_BYTES = [4 * n for n in [
    2 * 3 * (9 * 8 + 5 * 5), 3 * (9 + 4), 5 * (24 + 1), 3 * (30 + 6 * 6 * 6), 3 * (30 + 6 * 6 * 6), 6 * (30 + 8 * 7),
    3 * (30 + 12 * 15), 3 * (30 + 18 * 10), 4 * 30 + 144 + 36 * (6 + 12), 4 * 30 + 144 + 36 * (6 + 18),
    2 * (4 * 30 + 144) + 36 * (6 + 2 * 18)]]
PLAIN_FLOPS = [0] * 8 + [2 * 36 * 6 * 24] * 2 + [4 * 36 * 6 * 24]


def check_plain():
    """Operators without a plan have one way to be called; what has no products is told in bytes."""
    done = bench("--layers", "-", "--json", "--seconds", "0.001", "--threads", "1", lines=PLAIN)
    if done.returncode:
        return complain(done.stderr)
    told = json.loads(done.stdout)
    lines = [line.split(" # ") for line in PLAIN.splitlines()]
    counted = zip(lines, PLAIN_BYTES, PLAIN_FLOPS, strict=True)
    expected = [(*line, layout, size, flops) for line, size, flops in counted for layout in ("nchw", "nhwc")]
    found = [(run["layer"], run["name"], run["layout"], run["bytes"], run["flops"]) for run in told["runs"]]
    if found != expected:
        complain(f"the runs are {found}, not {expected}")
    for run in told["runs"]:
        names = [one["name"] for one in run["contenders"]]
        ours = run["contenders"][0]
        if names != ["prepacked"] or abs(ours["gb_per_s"] * ours["time_ns"] / run["bytes"] - 1) > 1e-9:
            complain(f"{run['layer']}: {run['contenders']}")


def check_table():
    done = bench("--layers", "-", "--seconds", "0.001", "--threads", "1", lines=KINDS)
    rows = [line for line in done.stdout.splitlines() if " nchw " in line or " nhwc " in line]
    if done.returncode or len(rows) != 12 + 2 or not rows[0].startswith("signal "):
        complain(f"the table is {done.stdout}{done.stderr}")


def check_peers():
    """A build without other libraries says so; one with them runs them, and they agree with us."""
    if bench("--peers", "--list").returncode == 0:
        check_run(["--peers"], ["nchw", "nhwc"])
    elif "knows no other library" not in bench("--peers").stderr:
        complain("--peers is not refused well")


check_sets()
check_refusals()
check_run([], ["nchw", "nhwc"])
check_run(["--layout", "nhwc"], ["nhwc"])
check_plain()
check_table()
check_peers()
sys.exit(failed)
