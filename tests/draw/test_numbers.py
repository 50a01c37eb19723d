# SPDX-License-Identifier: BSD-3-Clause
"""Every number that stands in a figure is one that the command computes: for random layers the texts of the
SVG are compared with `conv`, `conv-transpose`, `grad`, `matrix`, `unfold`, pools and `upsample`.
"""
import html
import json
import os
import random
import re
import subprocess
import sys
import tempfile

COMMAND = os.environ.get("FALTUNG_COMMAND", "build/faltung")
TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")
LAYERS = 12


def run(*arguments):
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"faltung {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def texts(*arguments):
    svg = run(*arguments, "-o", "-")
    return [html.unescape(text).replace("−", "-") for text in TEXT.findall(svg)]


def flat(values):
    return [n for v in values for n in flat(v)] if isinstance(values, list) else [values]


def computed(*arguments):
    return flat(json.loads(run(*arguments, "--json"))["values"])


def shown(number):
    """As draw_number() writes it."""
    return f"{number:.0f}" if number == int(number) and abs(number) < 1e9 else f"{number:.4g}"


def literal(rng, *sizes):
    if len(sizes) == 1:
        return "[" + ",".join(str(rng.randint(-4, 4)) for _ in range(sizes[0])) + "]"
    return "[" + ",".join(literal(rng, *sizes[1:]) for _ in range(sizes[0])) + "]"


def expect(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}\nfound  {found}\nwanted {wanted}")


def result_of(words):
    """The result's numbers are written first of all that changes with the step: behind the last caption."""
    last = max(i for i, word in enumerate(words) if word.startswith("output ") and "=" in word)
    return words[last + 1:]


def numbers(count, words, what, wanted):
    expect(result_of(words)[:count], [shown(n) for n in wanted], what)


def check_slides(rng):
    for _ in range(LAYERS):
        size, kernel = rng.randint(3, 5), rng.randint(1, 3)
        x, w = literal(rng, size, size), literal(rng, kernel, kernel)
        padding = f"{rng.randint(0, 2)}:{rng.randint(0, 1)},1:0"
        options = ["--stride", str(rng.randint(1, 2)), "--padding", padding]
        mode = rng.choice(["zeros", "reflect", "symmetric", "replicate", "circular"])
        y = computed("conv", x, w, *options, "--padding-mode", mode)
        step = str(rng.randrange(len(y)))
        words = texts("draw", "conv", x, w, *options, "--padding-mode", mode, "--step", step)
        numbers(len(y), words, f"draw conv {x} {w} {options} {mode}", y)
        expect(words[-1].split("=")[-1].strip(), shown(y[int(step)]), "the sum of the step")
        expect(kernel_words(words, kernel), [shown(n) for n in flat(json.loads(w))], "the kernel's numbers")
        y = computed("conv-transpose", x, w, *options[:2])
        for view in ("slide", "scatter"):
            words = texts("draw", "conv-transpose", x, w, *options[:2], "--view", view)
            numbers(len(y), words, f"draw conv-transpose {x} {w} {options[:2]} {view}", y)


def kernel_words(words, kernel):
    """The kernel's panel: its title, its indices, its cells."""
    title = next(i for i, word in enumerate(words) if word.startswith("kernel w"))
    return words[title + 1 + 2 * kernel:][:kernel * kernel]


def check_gradients(rng):
    for _ in range(LAYERS):
        x, w = literal(rng, 5, 5), literal(rng, 3, 3)
        stride = str(rng.randint(1, 2))
        size = (5 + 2 - 3) // int(stride) + 1
        gy = literal(rng, size, size)
        options = ["--stride", stride, "--padding", "1"]
        found = json.loads(run("grad", "conv", x, w, gy, *options, "--json"))
        for word, key in (("grad-input", "grad_input"), ("grad-weight", "grad_weight")):
            values = found[key]["values"] if isinstance(found[key], dict) else found[key]
            wanted = flat(values)
            numbers(len(wanted), texts("draw", word, x, w, gy, *options), f"draw {word}", wanted)


def check_matrices(rng):
    for transposed in (False, True):
        for _ in range(LAYERS):
            size, kernel = rng.randint(2, 3) if transposed else rng.randint(3, 5), rng.randint(2, 3)
            x, w = literal(rng, size, size), literal(rng, kernel, kernel)
            options = ["--padding", str(rng.randint(0, 1)), "--stride", str(rng.randint(1, 2))]
            flag = ["--transposed"] if transposed else []
            matrix = json.loads(run("matrix", w, "--input-size", str(size), *options, *flag, "--json"))
            wanted = [shown(n) for n in flat(matrix["values"])]
            verb = "conv-transpose" if transposed else "conv"
            words = texts("draw", verb, x, w, *options, "--view", "matrix")
            begin = next(i for i, word in enumerate(words) if word.startswith("F, ")) + 1
            end = words.index("x", begin)
            # Taps have their index in a corner, which holds a comma; labels follow the cells.
            cells = [word for word in words[begin:end] if "," not in word]
            expect(cells[:len(wanted)], wanted, f"the matrix of {verb} {w} {options}")
            y = computed(verb, x, w, *options)
            numbers(len(y), words, f"y of the matrix of {verb}", y)


def check_windows(rng):
    for layout in ("nchw", "nhwc"):
        x, w = literal(rng, 4, 4), literal(rng, 2, 2)
        words = texts("draw", "conv", x, w, "--view", "im2col", "--layout", layout)
        title = next(i for i, word in enumerate(words) if word.startswith("windows as"))
        cols = [shown(n) for n in computed("unfold", x, "--kernel", "2", "--layout", layout)]
        y = [shown(n) for n in computed("conv", x, w, "--layout", layout)]
        expect(words[title:].count(words[title]), 1, "one title")
        after = result_of(words)
        # nhwc writes the windows first, nchw too; then the products.
        expect(after[:len(cols)], cols, f"windows, {layout}")
        expect(after[len(cols):len(cols) + len(y)], y, f"products, {layout}")


def check_others(rng):
    x = literal(rng, 5, 5)
    for verb in ("max-pool", "avg-pool", "lp-pool"):
        options = ["--kernel", "3", "--stride", "2", "--padding", "1"]
        wanted = computed(verb, x, *options)
        numbers(len(wanted), texts("draw", verb, x, *options), verb, wanted)
    wanted = computed("upsample", x, "--scale", "2", "--coordinates", "transposed-conv")
    numbers(len(wanted), texts("draw", "upsample", x, "--stride", "2"), "upsample", wanted)


def main():
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        command = os.path.abspath(COMMAND)
        globals()["COMMAND"] = command
        os.chdir(folder)
        check_slides(rng)
        check_gradients(rng)
        check_matrices(rng)
        check_windows(rng)
        check_others(rng)


main()
