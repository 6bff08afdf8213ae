/* SPDX-License-Identifier: Apache-2.0
 * superseding - see superseding.h for the contract. */
#include "control/superseding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/trigger.h"
#include "control/release_config.h"
#include "control/reports.h"
#include "store/audit.h"
#include "store/releases.h"

enum { OLDER_MAX = 1000 }; /* at once; the rest gives way to the next one */

struct superseding {
	uint32_t count;
	uint32_t numbers[OLDER_MAX];
};

struct targets {
	const struct store_build *order;
	uint32_t found, queue;
};

/* Is it one of `names`, which have a blank between them? */
static bool names_it(const char *names, const char *name)
{
	size_t size = strlen(name);
	for (const char *at = names; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		if (length == size && memcmp(at, name, size) == 0)
			return true;
		at += length;
	}
	return false;
}

static uint32_t count_names(const char *names)
{
	uint32_t count = 0;
	for (const char *at = names + strspn(names, " "); *at; at += strspn(at, " ")) {
		at += strcspn(at, " ");
		count++;
	}
	return count;
}

static int see_environment(void *context, const char *environment, const struct resolved *resolved)
{
	struct targets *t = context;
	const struct app_environment *e = &resolved->environment;
	bool named = strcmp(t->order->wanted, "@") != 0;
	if (named ? !names_it(t->order->wanted, environment)
		  : !trigger_matches(&e->trigger, t->order->ref))
		return 0;
	t->found++;
	t->queue += e->concurrency != APP_CONCURRENCY_SUPERSEDE;
	return 0;
}

static bool may_supersede(struct control *c, const struct store_build *newer)
{
	struct targets t = {.order = newer};
	struct store_build *last = mem_zero(1, sizeof *last);
	struct store_release row;
	struct error ignored; /* whatever it is: then the older one keeps its place */
	struct buf json;
	buf_init(&json, STORE_BLOB_MAX);
	bool known =
		text_starts(newer->ref, "refs/heads/") &&
		store_build_last(c->parts.store, newer->app, newer->ref, last, &ignored) == 0 &&
		store_release_get(c->parts.store, last->release, &row, &json, &ignored) == 0 &&
		release_config_each(buf_text(&json), json.size, see_environment, &t, &ignored) == 0;
	buf_done(&json);
	free(last);
	bool all = strcmp(newer->wanted, "@") == 0 || t.found == count_names(newer->wanted);
	return known && t.found > 0 && t.queue == 0 && all;
}

static int take(void *context, const struct store_build *b)
{
	struct superseding *older = context;
	older->numbers[older->count++] = b->number;
	return older->count == OLDER_MAX;
}

struct superseding *superseding_find(struct control *c, const struct store_build *newer)
{
	struct superseding *older = mem_zero(1, sizeof *older);
	struct error ignored;
	/* Mostly nothing waits: that is asked first. */
	if (newer->ref[0] && newer->wanted[0] &&
	    store_builds_older(c->parts.store, newer, take, older, &ignored) >= 0 &&
	    older->count > 0 && may_supersede(c, newer))
		return older;
	free(older);
	return NULL;
}

void superseding_put(struct control *c, const struct superseding *older, uint32_t newer)
{
	struct store_build *b = mem_zero(1, sizeof *b);
	for (uint32_t i = 0; i < older->count; i++) {
		struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
		struct error ignored;
		if (store_build_get(c->parts.store, older->numbers[i], b, &ignored) < 0)
			continue;
		text_copy(b->state, sizeof b->state, "superseded");
		b->successor = newer;
		b->ended_unix_ms = env_wall_ms(c->parts.env);
		snprintf(b->why, sizeof b->why, "Build %u of a newer commit took its place.",
			 newer);
		store_put_build(c->parts.store, b);
		reports_build(c, b);
		text_copy(audit.who, sizeof audit.who, b->by);
		text_copy(audit.action, sizeof audit.action, "build.superseded");
		text_copy(audit.app, sizeof audit.app, b->app);
		text_copy(audit.reason, sizeof audit.reason, b->why);
		snprintf(audit.evidence, sizeof audit.evidence, "build %u, commit %.12s of %s",
			 b->number, b->commit, b->ref);
		store_add_audit(c->parts.store, &audit);
	}
	free(b);
}

void superseding_free(struct superseding *older)
{
	free(older);
}
