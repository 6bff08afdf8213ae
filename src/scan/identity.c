/* SPDX-License-Identifier: Apache-2.0
 * identity - see identity.h for the contract.
 *
 * A key is the digest of what makes findings equal; equal keys are numbered, and the digest of key and number is
 * the identity. Numbers go by place, so that of three equal lines the last one is the new one. */
#include "scan/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum { CONTEXT_MAX = 4 * SOURCE_LINE_MAX };

struct key {
	char hex[FINDING_IDENTITY_SIZE];
	uint32_t index;
};

/* With its NUL: "ab" and "c" are not "a" and "bc". */
static void add(struct digester *d, const char *text)
{
	digester_add(d, text, strlen(text) + 1);
}

static void finish(struct digester *d, char to[FINDING_IDENTITY_SIZE])
{
	char hex[DIGEST_HEX_SIZE];
	struct digest digest = digester_finish(d);
	digest_format(&digest, hex);
	memcpy(to, hex, FINDING_IDENTITY_SIZE - 1);
	to[FINDING_IDENTITY_SIZE - 1] = '\0';
}

static void key_of(const struct finding *f, const char *kind, const char *what,
		   char to[FINDING_IDENTITY_SIZE])
{
	struct digester *d = digester_new();
	add(d, kind);
	add(d, f->tool);
	add(d, f->rule);
	add(d, f->path);
	add(d, what);
	finish(d, to);
}

static void best_key(struct finding *f, struct source *source, char to[FINDING_IDENTITY_SIZE])
{
	struct buf context;
	if (f->identity[0]) {
		memcpy(to, f->identity, FINDING_IDENTITY_SIZE);
		return;
	}
	if (f->fingerprint[0]) {
		f->kind = IDENTITY_FINGERPRINT;
		key_of(f, "fingerprint", f->fingerprint, to);
		return;
	}
	buf_init(&context, CONTEXT_MAX);
	f->kind = IDENTITY_CONTEXT;
	if (!source || !source_context(source, f->path, f->line, &context)) {
		source_normalise(f->snippet, &context);
		f->kind = context.size > 0 ? IDENTITY_SNIPPET : IDENTITY_MESSAGE;
	}
	key_of(f, identity_kind_name(f->kind),
	       f->kind == IDENTITY_MESSAGE ? f->message : buf_text(&context), to);
	buf_done(&context);
}

static int by_key(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	int order = strcmp(a->hex, b->hex);
	return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

/* The first of its kind keeps its key: what a report gave reads back as it was. */
static void number(struct key *keys, uint32_t count)
{
	char key[FINDING_IDENTITY_SIZE] = "", text[16];
	qsort(keys, count, sizeof *keys, by_key);
	for (uint32_t i = 0, same = 0; i < count; i++) {
		same = strcmp(keys[i].hex, key) == 0 ? same + 1 : 0;
		if (same == 0) {
			memcpy(key, keys[i].hex, sizeof key);
			continue;
		}
		struct digester *d = digester_new();
		snprintf(text, sizeof text, "%u", same);
		add(d, key);
		add(d, text);
		finish(d, keys[i].hex);
	}
}

void findings_identify(struct findings *list, struct source *source)
{
	findings_sort(list);
	struct key *best = mem_zero(list->count + 1, sizeof *best),
		   *plain = mem_zero(list->count + 1, sizeof *plain);
	for (uint32_t i = 0; i < list->count; i++) {
		struct finding *f = &list->items[i];
		best[i].index = plain[i].index = i;
		best_key(f, source, best[i].hex);
		key_of(f, "message", f->message, plain[i].hex);
	}
	number(best, list->count);
	number(plain, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		memcpy(list->items[best[i].index].identity, best[i].hex, FINDING_IDENTITY_SIZE);
		memcpy(list->items[plain[i].index].plain, plain[i].hex, FINDING_IDENTITY_SIZE);
	}
	free(best);
	free(plain);
}
