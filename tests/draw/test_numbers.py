# SPDX-License-Identifier: BSD-3-Clause
"""Every number that stands in a figure is one that the command computes: for random layers the texts of the
SVG are compared with the verbs of the same names, and with `pad`, `unfold`, `receptive-field`; sums are
added up again, and equal colours of a heat map are equal numbers.
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
    sizes = ("output size", "size of gy")
    last = max(i for i, word in enumerate(words) if word.startswith(sizes) and "=" in word)
    return words[last + 1:]


def numbers(count, words, what, wanted):
    expect(result_of(words)[:count], [shown(n) for n in wanted], what)


def border(words, title, wanted, rows, columns):
    """A grid: its title, its indices, its cells; copies name their source behind their number."""
    first = next(i for i, word in enumerate(words) if word.startswith(title)) + 1 + rows + columns
    cells = [word for word in words[first:first + 2 * rows * columns] if "," not in word][:rows * columns]
    expect(cells, [shown(n) for n in wanted], f"the cells of {title}")


def adds_up(words, what):
    """"y[0,1] = 2·3 + 4·(-1) = 2": what stands between the equals signs is the number behind them."""
    begin = max(i for i, word in enumerate(words) if re.match(r"(row \d+: )?g?[wxy](\[[\d,]*\])? = ", word))
    _, *parts = " ".join(words[begin:]).replace("·", "*").split(" = ")
    if "(no product)" in parts[-1]:
        return
    sums = {eval(part) for part in parts}  # pylint: disable=eval-used # written by the command under test
    expect(len(sums), 1, f"{what}: {words[begin:]}")


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
        adds_up(words, f"draw conv {x} {w} {options} {mode}")
        padded = json.loads(run("pad", x, "--padding", padding, "--padding-mode", mode, "--json"))["values"]
        while len(padded) == 1 and isinstance(padded[0], list) and isinstance(padded[0][0], list):
            padded = padded[0]
        border(words, "input x", flat(padded), len(padded), len(padded[0]))
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
        check_gradient(found, x, w, gy, options)
        size, added = rng.randint(2, 3), str(rng.randint(0, int(stride) - 1))
        x = literal(rng, size, size)
        gy = literal(rng, *2 * [(size - 1) * int(stride) - 2 + 3 + int(added)])
        options += ["--output-padding", added]
        found = json.loads(run("grad", "conv-transpose", x, w, gy, *options, "--json"))
        check_gradient(found, x, w, gy, [*options, "--transposed"])


def check_gradient(found, x, w, gy, options):
    for word, key in (("grad-input", "grad_input"), ("grad-weight", "grad_weight")):
        values = found[key]["values"] if isinstance(found[key], dict) else found[key]
        wanted = flat(values)
        words = texts("draw", word, x, w, gy, *options)
        numbers(len(wanted), words, f"draw {word}", wanted)
        adds_up(words, f"draw {word} {options}")


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
            bias = ["--bias", literal(rng, 1)]
            y = computed(verb, x, w, *options, *bias)
            words = texts("draw", verb, x, w, *options, *bias, "--view", "matrix", "--step", "1")
            numbers(len(y), words, f"y of the matrix of {verb} with a bias", y)
            adds_up(words, f"a row of the matrix of {verb}")


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
        adds_up(words, f"a product, {layout}")


def channel_of(array, nhwc, group, own):
    """The channels of a group of a literal (1, c, h, w) or (1, h, w, c)."""
    mine = slice(group * own, (group + 1) * own)
    image = array[0]
    return [[[cell[mine] for cell in row] for row in image]] if nhwc else [image[mine]]


def check_groups(rng):
    """Every group's windows, and its part of the result, bias included."""
    for layout in ("nchw", "nhwc"):
        nhwc, groups = layout == "nhwc", rng.randint(2, 3)
        x = literal(rng, 1, *((3, 3, 2 * groups) if nhwc else (2 * groups, 3, 3)))
        w = literal(rng, *((2, 2, 2, groups) if nhwc else (groups, 2, 2, 2)))
        options = ["--layout", layout, "--groups", str(groups), "--bias", literal(rng, groups)]
        words = texts("draw", "conv", x, w, *options, "--view", "im2col", "--step", "1")
        after, at = result_of(words), 0
        y = json.loads(run("conv", x, w, *options, "--json"))["values"]
        for group in range(groups):
            own = json.dumps(channel_of(json.loads(x), nhwc, group, 2))
            cols = [shown(n) for n in computed("unfold", own, "--kernel", "2", "--layout", layout)]
            expect(after[at:at + len(cols)], cols, f"windows of group {group}, {layout}")
            at += len(cols)
            part = [shown(n) for n in flat(channel_of(y, nhwc, group, 1))]
            expect(after[at:at + len(part)], part, f"product of group {group}, {layout}")
            at += len(part)
        adds_up(words, f"a product of groups, {layout}")


def check_others(rng):
    x = literal(rng, 5, 5)
    for verb in ("max-pool", "avg-pool", "lp-pool"):
        options = ["--kernel", "3", "--stride", "2", "--padding", "1"]
        wanted = computed(verb, x, *options)
        numbers(len(wanted), texts("draw", verb, x, *options), verb, wanted)
    for verb in ("adaptive-avg-pool", "adaptive-max-pool"):
        wanted = computed(verb, x, "--output-size", "3,2")
        words = texts("draw", verb, x, "--output-size", "3,2")
        last = next(i for i, word in enumerate(words) if word.startswith("width: output j reads"))
        expect(words[last + 1:][:len(wanted)], [shown(n) for n in wanted], verb)
    for verb in ("global-avg-pool", "global-max-pool"):
        wanted = computed(verb, x)
        expect(texts("draw", verb, x)[-1].split("= ")[-1], shown(wanted[0]), verb)
    wanted = computed("upsample", x, "--scale", "2", "--coordinates", "transposed-conv")
    numbers(len(wanted), texts("draw", "upsample", x, "--stride", "2"), "upsample", wanted)
    x, indices = literal(rng, 2, 2), "[[0,3],[9,14]]"
    wanted = computed("max-unpool", x, indices, "--kernel", "2")
    words = texts("draw", "max-unpool", x, indices, "--kernel", "2")
    last = next(i for i, word in enumerate(words) if word.startswith("An index"))
    expect(words[last + 1:][:16], [shown(n) for n in wanted], "max-unpool")
    cols = literal(rng, 4, 4)
    wanted = computed("fold", cols, "--kernel", "2", "--output-size", "3,3")
    words = texts("draw", "fold", cols, "--kernel", "2", "--output-size", "3,3")
    last = next(i for i, word in enumerate(words) if word.startswith("inverse.") or word.endswith("inverse."))
    expect(words[last + 1:][:9], [shown(n) for n in wanted], "fold")


def check_offsets(rng):
    for _ in range(LAYERS // 2):
        x, w = literal(rng, 4, 4), literal(rng, 2, 2)
        plane = [[[rng.randint(-4, 4) / 4 for _ in range(3)] for _ in range(3)] for _ in range(8)]
        offset = json.dumps([plane])
        wanted = computed("deform-conv", x, offset, w)
        numbers(len(wanted), texts("draw", "deform-conv", x, offset, w), "deform-conv", wanted)


def check_counts(rng):
    """Coverage is what a convolution of ones counts; the paths of a stack multiply."""
    for _ in range(LAYERS // 2):
        size, kernel, stride = rng.randint(2, 4), rng.randint(1, 4), rng.randint(1, 3)
        ones, taps = json.dumps([[1] * size] * size), json.dumps([[1] * kernel] * kernel)
        wanted = [shown(n) for n in computed("conv-transpose", ones, taps, "--stride", str(stride))]
        words = texts("draw", "conv-transpose", "--input-size", str(size), "--kernel", str(kernel),
                      "--stride", str(stride), "--view", "coverage")
        title = next(i for i, word in enumerate(words) if word.startswith("taps that reach"))
        side = (size - 1) * stride + kernel
        expect(words[title + 1 + 2 * side:][:side * side], wanted, "coverage")
    layers = "k3s2p1 k3p1"
    field = json.loads(run("receptive-field", "--layers", layers, "--json"))["layers"][-1]["size"]
    words = texts("draw", "stack", "--layers", layers, "--input-size", "15", "--step", "3")
    line = next(word for word in words if "the receptive field is" in word)
    expect(line.split()[-1], shown(field), "the receptive field")
    title = words.index("paths to every input")
    paths = [1, 1, 2, 1, 2, 1, 1]  # by hand: three windows of three, two apart
    expect(words[title + 1:][:49], [shown(a * b) for a in paths for b in paths], "paths")


def check_tiles(rng):
    x = literal(rng, 4, 6)
    words = texts("draw", "tile", x, "--tile", "2,3")
    rows = json.loads(x)
    begin = words.index("memory, with the offset of every element") + 1
    found = words[begin + 24:][:3 * 24]
    wanted = [shown(rows[2 * i + r][3 * j + c]) for i in range(2) for j in range(2) for r in range(2)
              for c in range(3) for _ in range(3)]
    expect(found, wanted, "tiles, in the matrix, in the view and in memory")
    expect(words[-1], "view: shape (2,2,2,3), strides (12,3,6,1): the same memory, nothing is copied",
           "tile")


def check_colours(rng):
    """One number, one colour, in the order of the scale."""
    x, scale = literal(rng, 6, 6), 32
    svg = run("draw", "conv", x, "[[1,1],[1,1]]", "--heatmap", "-o", "-")
    fills = re.findall(r'<rect[^>]* fill="(#[0-9a-f]+)" class', svg)
    values, cells = flat(json.loads(x)), fills[scale:scale + 36]
    colours = dict(zip(values, cells))
    expect([colours[v] for v in values], cells, "one colour for each number")
    expect(len(set(cells)), len(set(values)), "one number for each colour")
    expect((colours[min(values)], colours[max(values)]), (fills[0], fills[scale - 1]), "ends of the scale")


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
        check_groups(rng)
        check_others(rng)
        check_offsets(rng)
        check_counts(rng)
        check_tiles(rng)
        check_colours(rng)


main()
