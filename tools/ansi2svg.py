#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A terminal's screen (tmux capture-pane -e) on stdin, the same as SVG on stdout. Knows SGR only."""
import html, re, sys, unicodedata

BACK, FRONT = "#10141a", "#d5dae0"
BASIC = ["#10141a", "#e5534b", "#57ab5a", "#c69026", "#539bf5", "#b083f0", "#39c5cf", "#d5dae0",
         "#768390", "#ff938a", "#6bc46d", "#daaa3f", "#6cb6ff", "#dcbdfb", "#56d4dd", "#ffffff"]
CELL_W, CELL_H, SIZE, PAD = 8.4, 18, 14, 14


def color(n):
    if n < 16:
        return BASIC[n]
    if n < 232:
        level = lambda v: 0 if v == 0 else 55 + 40 * v
        n -= 16
        return "#%02x%02x%02x" % (level(n // 36), level(n // 6 % 6), level(n % 6))
    return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)


def apply(style, codes):
    codes = [int(c or 0) for c in re.split("[;:]", codes)]
    while codes:
        c = codes.pop(0)
        if c == 0:
            style.clear()
        elif c in (1, 2, 4, 7):
            style[{1: "bold", 2: "dim", 4: "line", 7: "reverse"}[c]] = True
        elif c in (22, 24, 27):
            for name in {22: ("bold", "dim"), 24: ("line",), 27: ("reverse",)}[c]:
                style.pop(name, None)
        elif 30 <= c <= 37 or 90 <= c <= 97:
            style["fg"] = BASIC[c - 30 if c < 90 else c - 82]
        elif 40 <= c <= 47 or 100 <= c <= 107:
            style["bg"] = BASIC[c - 40 if c < 100 else c - 92]
        elif c in (38, 48) and codes:
            name, kind = "fg" if c == 38 else "bg", codes.pop(0)
            if kind == 5:
                style[name] = color(codes.pop(0))
            else:
                style[name] = "#%02x%02x%02x" % tuple(codes.pop(0) for _ in range(3))
        elif c in (39, 49):
            style.pop("fg" if c == 39 else "bg", None)


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    while lines and not re.sub(r"\x1b\[[\d;:]*m", "", lines[-1]).strip():
        lines.pop()
    parts, style, widest = [], {}, 0
    for row, line in enumerate(lines):
        column = 0
        for sgr, text in re.findall(r"\x1b\[([\d;:]*)m|([^\x1b]+)", line):
            if not text:
                apply(style, sgr)
                continue
            width = sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)
            x, y = PAD + column * CELL_W, PAD + row * CELL_H
            front, back = style.get("fg", FRONT), style.get("bg")
            if style.get("reverse"):
                front, back = back or BACK, front
            if back:
                parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width * CELL_W:.1f}" height="{CELL_H}" fill="{back}"/>')
            more = ' font-weight="bold"' * bool(style.get("bold")) + ' opacity=".6"' * bool(style.get("dim"))
            more += ' text-decoration="underline"' * bool(style.get("line"))
            if text.strip():
                parts.append(f'<text x="{x:.1f}" y="{y + 13}" textLength="{width * CELL_W:.1f}" fill="{front}"{more}>'
                             f"{html.escape(text)}</text>")
            column += width
        widest = max(widest, column)
    w, h = widest * CELL_W + 2 * PAD, len(lines) * CELL_H + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h}" viewBox="0 0 {w:.0f} {h}" '
          f'font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="{SIZE}" xml:space="preserve">')
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    print("\n".join(parts))
    print("</svg>")


if __name__ == "__main__":
    main()
