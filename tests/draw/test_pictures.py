# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of the command as other programs see them: SVG is well-formed XML whose references exist and
in which nothing lies outside the view or over another text; PDF is opened and rendered by poppler; the same
command writes the same bytes."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

COMMAND = os.environ["FALTUNG_COMMAND"]
SVG = "{http://www.w3.org/2000/svg}"

FIGURES = {
    "slide": "draw conv --input-size 5 --kernel 3 --stride 2 --padding 1",
    "volume": "draw conv --input 1,1,3,4,4 --weight 1,1,2,2,2",
    "signal": "draw conv --input-size 7 --kernel 3 --spatial 1 --dilation 2",
    "groups": "draw conv --input 1,4,4,4 --weight 4,2,3,3 --groups 2",
    "reflect": "draw conv --input-size 4 --kernel 3 --padding 2 --padding-mode reflect",
    "random": "draw conv --input-size 4 --kernel 3 --data random",
    "transposed": "draw conv-transpose --input-size 3 --kernel 3 --stride 2 --dilation 2",
    "scatter": "draw conv-transpose --input-size 3 --kernel 3 --stride 2 --view scatter",
    "matrix": "draw conv --input-size 4 --kernel 3 --view matrix",
    "im2col": "draw conv --input 1,4,4,2 --weight 2,2,2,3 --layout nhwc --view im2col",
    "coverage": "draw conv-transpose --input-size 4 --kernel 3 --stride 2 --view coverage",
    "grad-weight": "draw grad-weight --input-size 5 --kernel 3 --stride 2",
    "pool": "draw max-pool --input-size 4 --kernel 2",
    "stack": "draw stack --layers 'k2 k2d2 k2d4' --input-size 8",
    "tile": "draw tile --tile 2,3",
    "moving": "animate conv --input-size 4 --kernel 3",
}


def run(words, folder):
    result = subprocess.run([COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"faltung {' '.join(words)}: {result.stderr}")


def split(text):
    return [a or b for a, b in re.findall(r"'([^']*)'|(\S+)", text)]


def sheet(root):
    """The declarations of each class."""
    text = "".join(style.text or "" for style in root.iter(SVG + "style"))
    return {name: dict(part.split(":", 1) for part in body.split(";") if part)
            for name, body in re.findall(r"^\.(_\w+)\{([^}]*)\}", text, re.M)}


def text_box(element, look):
    """(left, top, right, bottom) of a text; its width is written for all but the shortest."""
    size = float(look.get("font-size", "12px")[:-2])
    text = element.text or ""
    width = float(element.get("textLength", 0.62 * size * len(text)))
    x, y = float(element.get("x")), float(element.get("y"))
    shift = {"middle": width / 2, "end": width}.get(look.get("text-anchor"), 0)
    if element.get("transform"):  # turned: reads upwards
        return (x - 0.7 * size, y - width + shift, x, y + shift)
    return (x - shift, y - 0.7 * size, x - shift + width, y)


class Pictures(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def make(self, name, ending, *options):
        path = pathlib.Path(self.folder) / f"{name}.{ending}"
        run([*split(FIGURES[name]), *options, "-f", "-o", str(path)], self.folder)
        return path

    def test_svg_is_well_formed_and_whole(self):
        for name in FIGURES:
            for theme in ("light", "dark", "print"):
                with self.subTest(name=name, theme=theme):
                    root = xml.parse(self.make(name, "svg", "--theme", theme)).getroot()
                    self.assertEqual(root.tag, SVG + "svg")
                    for tag in ("title", "desc"):
                        self.assertTrue(root.find(SVG + tag).text.strip())
                    self.check_references(root)
                    self.check_texts(root)

    def check_references(self, root):
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        for element in root.iter():
            for value in element.attrib.values():
                for used in re.findall(r"url\(#([^)]*)\)", value):
                    self.assertIn(used, ids)
            if element.tag == SVG + "a":
                self.assertIn(element.get("href")[1:], ids)
        known = sheet(root)
        for element in root.iter():
            for used in (element.get("class") or "").split():
                self.assertTrue(used in known or not used.startswith("_"), used)

    def check_texts(self, root):
        """No text leaves the view; of a still no two overlap."""
        left, top, width, height = map(float, root.get("viewBox").split())
        known, boxes = sheet(root), []
        for element in root.iter(SVG + "text"):
            box = text_box(element, known.get(element.get("class"), {}))
            self.assertTrue(left <= box[0] and box[2] <= left + width, (element.text, box))
            self.assertTrue(top <= box[1] and box[3] <= top + height, (element.text, box))
            boxes.append((box, element.text))
        if any(g.get("style") for g in root.iter(SVG + "g")):
            return
        slack = 1.5
        for i, (a, one) in enumerate(boxes):
            for b, other in boxes[:i]:
                apart = (a[2] < b[0] + slack or b[2] < a[0] + slack or a[3] < b[1] + slack or
                         b[3] < a[1] + slack)
                self.assertTrue(apart or (a == b and one == other), (one, a, other, b))

    def test_the_same_command_writes_the_same_bytes(self):
        for ending in ("svg", "png", "pdf", "gif"):
            first = self.make("slide", ending).read_bytes()
            self.assertEqual(first, self.make("slide", ending).read_bytes())
        first = self.make("moving", "gif").read_bytes()
        self.assertEqual(first, self.make("moving", "gif").read_bytes())

    def test_pdf_is_rendered(self):
        if shutil.which("pdftoppm") is None:
            self.skipTest("no poppler")
        self.render("slide", 1)
        self.render("moving", 4)

    def render(self, name, pages):
        path = self.make(name, "pdf")
        subprocess.run(["pdftoppm", "-r", "72", str(path), self.folder + "/page"], check=True)
        images = sorted(pathlib.Path(self.folder).glob("page*.ppm"))
        self.assertEqual(len(images), pages)
        for image in images:
            kind, size, _, pixels = image.read_bytes().split(b"\n", 3)
            self.assertEqual(kind, b"P6")
            width, height = map(int, size.split())
            colours = {pixels[i:i + 3] for i in range(0, 3 * width * height, 3)}
            self.assertGreater(len(colours), 20)  # something is on the page
            image.unlink()
        text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
        self.assertIn("output size", text.stdout)

    def test_a_sequence_has_a_picture_for_every_step(self):
        self.make("moving", "png")
        names = sorted(path.name for path in pathlib.Path(self.folder).glob("*.png"))
        self.assertEqual([name for name in names if "still" not in name],
                         [f"moving-{i}.png" for i in range(4)])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
