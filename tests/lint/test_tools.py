#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/tidy.py and tools/links.py: a small tree that is clean, then each rule broken once."""
import pathlib, shutil, sys, tempfile, unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))
sys.dont_write_bytecode = True
import links, tidy  # noqa: E402

HEADER = "/* SPDX */\n#ifndef WIRE_URL_H\n#define WIRE_URL_H\nint url_read(void);\n#endif\n"
SOURCE = '/* SPDX */\n#include "wire/url.h"\n#include "base/text.h"\n\nint url_read(void)\n{\n\treturn 0;\n}\n'
PAGE = "# A page\n\nSee [the other](other.md#its-heading), `src/wire/url.c`, `wire/url.h`, `url_read()` and `make sim`.\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="davit-lint.")).resolve()
        self.addCleanup(shutil.rmtree, self.root)
        self.write("tools/layers.txt", "base :\nwire : base  # a remark\nstore : base\n")
        self.write("src/base/text.h", HEADER.replace("WIRE_URL", "BASE_TEXT"))
        self.write("src/wire/url.h", HEADER)
        self.write("src/wire/url.c", SOURCE)
        self.write("Makefile", "sim: deps ## simulate\n")
        self.write("docs/page.md", PAGE)
        self.write("docs/other.md", "# Other\n\n## Its heading\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tidy(self, *words):
        found = list(tidy.check(self.root))
        self.assertEqual(len(found), 1 if words else 0, found)
        for word in words:
            self.assertIn(word, found[0])

    def links(self, *words):
        found = list(links.check(self.root, [self.root / "docs/page.md"]))
        self.assertEqual(len(found), 1 if words else 0, found)
        for word in words:
            self.assertIn(word, found[0])


class Tidy(Tree):
    def test_a_clean_tree_has_no_findings(self):
        self.tidy()

    def test_an_include_against_the_arrows_is_found(self):
        self.write("src/wire/url.c", SOURCE.replace("base/text.h", "store/store.h"))
        self.tidy("wire/url.c:3: layers", "store/")

    def test_a_folder_that_the_table_does_not_know_is_found(self):
        self.write("src/misc/x.h", HEADER.replace("WIRE_URL", "MISC_X"))
        self.tidy("misc/x.h", "layers.txt")

    def test_a_wrong_guard_is_found(self):
        self.write("src/wire/url.h", HEADER.replace("WIRE_URL", "URL"))
        self.tidy("guard: want WIRE_URL_H")

    def test_a_missing_opening_comment_is_found(self):
        self.write("src/wire/url.c", SOURCE.split("\n", 1)[1])
        self.tidy("contract")

    def test_a_banned_call_is_found_and_one_in_a_comment_is_not(self):
        self.write("src/wire/url.c", SOURCE + "/* not sprintf() */\n")
        self.tidy()
        self.write("src/wire/url.c", SOURCE.replace("return 0", "return sprintf(a, b)"))
        self.tidy("banned: sprintf()")

    def test_a_pure_folder_may_not_allocate_and_another_may(self):
        self.write("src/wire/url.c", SOURCE.replace("return 0", "return malloc(1) != 0"))
        self.tidy("banned: malloc()")
        self.write("src/wire/url.c", SOURCE)
        self.write("src/store/a.c", '/* SPDX */\nint a(void)\n{\n\treturn malloc(1) != 0;\n}\n')
        self.tidy()

    def test_a_long_function_is_found(self):
        body = "\n".join(["\tx();"] * tidy.FN_MAX)
        self.write("src/wire/url.c", SOURCE.replace("\treturn 0;", body))
        self.tidy()
        self.write("src/wire/url.c", SOURCE.replace("\treturn 0;", body + "\n\tx();"))
        self.tidy("size: function of 71 lines")

    def test_a_long_file_is_found(self):
        self.write("src/wire/url.h", HEADER + "\n" * tidy.H_MAX)
        self.tidy("url.h: size")
        self.write("src/wire/url.h", HEADER)
        self.write("src/wire/url.c", SOURCE + "\n" * tidy.C_MAX)
        self.tidy("url.c: size")


class Links(Tree):
    def test_a_page_whose_names_exist_has_no_findings(self):
        self.links()

    def test_each_kind_of_name_that_does_not_exist_is_found(self):
        for old, new, word in (
            ("other.md#", "gone.md#", "links: gone.md"),
            ("#its-heading", "#no-heading", "no such heading"),
            ("`src/wire/url.c`", "`src/wire/gone.c`", "files: src/wire/gone.c"),
            ("`wire/url.h`", "`wire/gone.h`", "files: wire/gone.h"),
            ("`url_read()`", "`url_write()`", "functions: url_write()"),
            ("`make sim`", "`make tea`", "targets"),
        ):
            with self.subTest(word):
                self.write("docs/page.md", PAGE.replace(old, new))
                self.links(word)

    def test_code_blocks_are_not_read(self):
        self.write("docs/page.md", PAGE + "\n```\n[a](gone.md) `src/gone.c`\n```\n")
        self.links()


if __name__ == "__main__":
    unittest.main()
