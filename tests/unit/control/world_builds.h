/* SPDX-License-Identifier: Apache-2.0
 *
 * world_builds - a builder that a test drives: what was started is seen, and ends when the test says so.
 *
 * HOW   builder_setup() and builder_teardown() around each test, in place of world_open() and world_close(). The control
 *       imports builder_archive(), and reads the davit.yaml that builder_file() wrote last.
 */
#ifndef WORLD_BUILDS_H
#define WORLD_BUILDS_H

#include "control/builds.h"
#include "store/builds.h"

extern struct world_builder {
	struct builds builds;
	uint32_t running, started, cancelled; /* numbers; 0: none */
	uint32_t origin;                      /* of the last start */
	char order[512];                      /* of the starts */
	char known[512];                      /* "STAGE=BYTES " of what the last start was told */
	char since[BUILDS_TEXT_SIZE], unknown[BUILDS_TEXT_SIZE]; /* of the last start */
	bool refuses;
	uint64_t log_bytes; /* of each that ends from now on; 0: it has no logs */
	uint32_t logs[64], log_count;
} world_builder;

int builder_setup(void **state);
int builder_teardown(void **state);

/* What runs ends so; with this archive ("": none), of a ref that triggers this environment (NULL: none). */
void builder_ends(const char *state, const char *archive, const char *environment);
/* One with this content; lives until the next. */
const char *builder_archive(const char *content);
void builder_file(const char *name, const char *text);

/* Order a build; `environments` NULL: those that the ref triggers. Its number. */
uint32_t order_ref(const char *ref, const char *environments);
/* The same of another commit. */
uint32_t order_commit(char digit, const char *ref, const char *environments);
const struct store_build *build_row(uint32_t number);

#endif
