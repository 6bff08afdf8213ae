/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz - what a fuzzer is here: one file fuzz_<name>.c with LLVMFuzzerTestOneInput(), a folder corpus/<name>/, and
 *        an entry in meson.build.
 *
 * HOW   With -Dfuzz=true (CC=clang) each is built as a libFuzzer, with the address and undefined behaviour
 *       sanitizers in it and in all of davit; tests/fuzz/run runs them. In every other build replay.c is
 *       put in front instead, and `meson test --suite unit` feeds it the corpus: what was found once
 *       stays found.
 *       A fuzzer does more than not to crash: it holds what it gets against a second way to the same answer,
 *       and says EXPECT(that they agree).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                       \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

#endif
