# SPDX-License-Identifier: BSD-3-Clause
"""glyphs.py FOLDER: writes draw/glyphs_*.inc, the letters of every figure, from the DejaVu fonts in FOLDER.

To be run again only when a figure needs a character that is not there: add it below. Needs fontTools.
Outlines are rounded to a grid of 1024 units to the em, half of the fonts' own.
"""
import pathlib
import sys
import textwrap

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

FACES = {"sans": "DejaVuSans.ttf", "sans_bold": "DejaVuSans-Bold.ttf", "mono": "DejaVuSansMono.ttf"}
CHARACTERS = ("".join(map(chr, range(32, 127))) + "£§°±²³¹´µ·¿×÷ßäöüÄÖÜéèêàçñ"
              "αβγδεθλμπρστφωΔΣΠΩ–—‘’“”•…′″⁰⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉"
              "←↑→↓↔↦⇒∂∈∇∏∑−∗∘√∞∩∪≈≠≡≤≥⊕⊗⊙⋅⋮⋯⌈⌉⌊⌋■□▲▶▸▼◀●○✓✗\ufffd")
EM = 1024


class Outline(BasePen):
    """Quadratic outlines as text: M and L with a point, Q with two, Z."""

    def __init__(self, glyphs, scale):
        super().__init__(glyphs)
        self.scale, self.parts = scale, []

    def add(self, letter, *points):
        numbers = (str(round(c * self.scale)) for point in points for c in point)
        self.parts.append(letter + " ".join(numbers))

    def _moveTo(self, point):
        self.add("M", point)

    def _lineTo(self, point):
        self.add("L", point)

    def _qCurveToOne(self, control, point):
        self.add("Q", control, point)

    def _curveToOne(self, *points):
        raise ValueError("a cubic outline")

    def _closePath(self):
        self.parts.append("Z")


def row(font, glyphs, names, character):
    name = names.get(ord(character)) or names[0xFFFD]
    pen = Outline(glyphs, EM / font["head"].unitsPerEm)
    glyphs[name].draw(pen)
    head = f"GLYPH(0x{ord(character):04x}, {round(glyphs[name].width * pen.scale)}, "
    lines = textwrap.wrap(" ".join(pen.parts), 100) or [""]
    return head + "\n      ".join(f'"{line} "' if k + 1 < len(lines) else f'"{line}"'
                                  for k, line in enumerate(lines)) + ")\n"


def main():
    folder = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).resolve().parents[1] / "draw"
    for face, file in FACES.items():
        font = TTFont(folder / file)
        glyphs, names = font.getGlyphSet(), font.getBestCmap()
        lost = [c for c in CHARACTERS if ord(c) not in names]
        if lost:
            print(f"{file} lacks {' '.join(lost)}: a box", file=sys.stderr)
        with open(target / f"glyphs_{face}.inc", "w", encoding="ascii") as out:
            out.write("/* SPDX-License-Identifier: BSD-3-Clause AND Bitstream-Vera (the outlines) */\n"
                      f"/* Written by tools/glyphs.py from {file}; draw/glyphs.txt is its licence. */\n")
            out.writelines(row(font, glyphs, names, c) for c in sorted(set(CHARACTERS)))


main()
