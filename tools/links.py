#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name must exist. Prints one line a finding, exits 1 on any.

usage: tools/links.py [ROOT [FILE.md...]]      without files, every .md that git knows

links      [text](path) and [text](path#heading), relative to the document; addresses on the net are not followed
files      `src/wire/url.c`, `tests/system/run`, or `wire/url.c` as the sources include it
functions  `rollout_step()` must be defined or declared somewhere below src, tests or examples
targets    `make sim` must be in the Makefile
"""
import pathlib, re, subprocess, sys

TOP = ("src", "tests", "tools", "docs", "examples", "man", "packaging", ".ci")
FENCE = re.compile(r"^ {0,3}```.*?^ {0,3}```", re.M | re.S)


def slug(heading):  # as GitHub makes anchors
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


def headings(path):
    return {slug(m[1]) for m in re.finditer(r"^#+ +(.*)$", FENCE.sub("", path.read_text()), re.M)}


def functions(root):
    names = set()
    for top in ("src", "tests", "examples"):
        for f in (root / top).rglob("*.[ch]"):
            names.update(re.findall(r"\b([a-z]\w+)\s*\(", f.read_text(errors="replace")))
    return names


def check(root, documents):
    known = functions(root)
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    makefile = root / "Makefile"
    targets = set(re.findall(r"^([\w/]+):", makefile.read_text(), re.M)) if makefile.exists() else set()
    for document in documents:
        text, rel = document.read_text(), document.relative_to(root)
        prose = FENCE.sub(lambda m: "\n" * m.group().count("\n"), text)
        for i, line in enumerate(prose.splitlines(), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (document.parent / path).resolve() if path else document
                if not there.exists():
                    yield f"{rel}:{i}: links: {target} is not there"
                elif anchor and there.suffix == ".md" and anchor not in headings(there):
                    yield f"{rel}:{i}: links: {target} has no such heading"
            for found in re.finditer(r"`([^`\n]+)`", line):
                if line[: found.start()].endswith("such as "):
                    continue  # an example, not a name
                code = found[1]
                word = code.split()[0].rstrip(":,.")
                first = word.split("/")[0]
                if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word) and "/" in word:
                    base = root if first in TOP else root / "src" if first in folders else None
                    if base and not (base / word).exists() and not (root / word).exists():
                        yield f"{rel}:{i}: files: {word} is not there"
                m = re.fullmatch(r"([a-z]\w+)\(\)", code)
                if m and "_" in m[1] and m[1] not in known:
                    yield f"{rel}:{i}: functions: {m[1]}() is nowhere"
                m = re.match(r"(?:\w+=\S+ )*make ([a-z]+)\b", code)
                if m and m[1] not in targets:
                    yield f"{rel}:{i}: targets: the Makefile has no {m[1]}"


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else ".").resolve()
    if len(argv) > 2:
        documents = [pathlib.Path(a).resolve() for a in argv[2:]]
    else:
        listed = subprocess.run(["git", "-C", root, "ls-files", "*.md"], capture_output=True, text=True, check=True)
        documents = [root / name for name in listed.stdout.splitlines() if (root / name).exists()]
    found = list(check(root, documents))
    print("\n".join(found) if found else f"links: clean, {len(documents)} documents")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
