# ruff: noqa: INP001 -- a tool, run by hand
"""Cut Liberation Serif down to Latin, Vietnamese, Greek, Cyrillic and common signs, and write down what is covered.

The licence (SIL OFL 1.1, condition 3) reserves the name "Liberation" for unmodified fonts, so the result has a name of
its own. Run with fonttools installed, on the faces of Liberation Fonts 2.1.5 (older ones lack Vietnamese letters):

    python tools/subset_fonts.py FOLDER_OF_LIBERATION_TTF src/sangkien/documents/fonts
"""

import json
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-not-found]
from fontTools.ttLib import TTFont  # type: ignore[import-not-found]

FAMILY = "Sang Kien Serif"
RANGES = [
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x17F), (0x1A0, 0x1A1), (0x1AF, 0x1B0), (0x300, 0x303), (0x306, 0x306),
    (0x309, 0x309), (0x31B, 0x31B), (0x323, 0x323), (0x386, 0x3CE), (0x400, 0x45F), (0x1EA0, 0x1EF9), (0x2010, 0x2015),
    (0x2018, 0x201E), (0x2020, 0x2022), (0x2026, 0x2026), (0x2030, 0x2030), (0x2032, 0x2034), (0x2039, 0x203A),
    (0x2044, 0x2044), (0x2074, 0x2089), (0x20AB, 0x20AC), (0x2116, 0x2116), (0x2122, 0x2122), (0x2126, 0x2126),
    (0x2153, 0x215E), (0x2190, 0x2195), (0x2202, 0x2265), (0x25A0, 0x25E6),
]  # fmt: skip
_UNIQUE_ID, _FULL_NAME, _FAMILY, _POSTSCRIPT, _TRADEMARK = 3, 4, 1, 6, 7


def main(source: Path, target: Path) -> None:
    covered: set[int] | None = None
    for face in ("Regular", "Bold", "Italic", "BoldItalic"):
        font = TTFont(source / f"LiberationSerif-{face}.ttf", recalcTimestamp=False)
        options = Options(hinting=False, notdef_outline=True, layout_features=["kern", "ccmp", "mark", "mkmk"])
        options.name_IDs = ["*"]
        options.drop_tables += ["FFTM"]
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
        subsetter.subset(font)
        full_name = f"{FAMILY} {face.replace('BoldItalic', 'Bold Italic')}"
        names = {_FAMILY: FAMILY, _UNIQUE_ID: full_name, _FULL_NAME: full_name, _POSTSCRIPT: f"SangKienSerif-{face}"}
        font["name"].removeNames(nameID=_TRADEMARK)
        for record in list(font["name"].names):
            if record.nameID in names:
                place = (record.platformID, record.platEncID, record.langID)
                font["name"].setName(names[record.nameID], record.nameID, *place)
        font.save(target / f"SangKienSerif-{face}.ttf")
        covered = set(font.getBestCmap()) if covered is None else covered & set(font.getBestCmap())
    ranges: list[list[int]] = []
    for code in sorted(covered or ()):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    (target / "coverage.json").write_text(json.dumps(ranges) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
