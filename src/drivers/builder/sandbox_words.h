/* SPDX-License-Identifier: Apache-2.0
 *
 * sandbox_words - the words of bubblewrap's command line. Internal to drivers/builder/.
 *
 * HOW   words_begin() with what every sandbox has, words_add() more, then use `list`, which is NULL-terminated.
 * OWNS  The texts given to words_add() are the caller's and must live as long.
 */
#ifndef DRIVERS_BUILDER_SANDBOX_WORDS_H
#define DRIVERS_BUILDER_SANDBOX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 256, WORDS_LINK_SIZE = 64 };

struct words {
	const char *list[WORDS_MAX + 1];
	size_t count;
	char links[8][WORDS_LINK_SIZE]; /* where /bin, /lib, ... lead to */
};

void words_begin(struct words *words, bool network);
void words_add(struct words *words, const char *a, const char *b,
	       const char *c); /* NULL ends early */

#endif
