/* SPDX-License-Identifier: Apache-2.0
 * known - see known.h for the contract. */
#include "control/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "provider/builds.h"
#include "store/check_scans.h"
#include "store/findings.h"
#include "store/releases.h"

enum { STABLES_LOOKED_AT = 100 };

/* --- which release */

static int take_good(void *context, const struct store_stable *stable)
{
	struct known_good *good = context;
	if (stable->bad || stable->left)
		return 0;
	text_copy(good->release, sizeof good->release, stable->release);
	good->at_unix_ms = stable->at_unix_ms;
	return 1;
}

static bool is_production(struct environment *e)
{
	const struct release_info *live = environment_release(e, e->core.stable);
	return live && live->config->environment.production;
}

int known_last_good(struct control *c, const char *app, struct known_good *ret_good,
		    struct error *err)
{
	struct store_release row;
	*ret_good = (struct known_good){.environment = NULL};
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		struct known_good good = {.environment = e};
		if (strcmp(e->app, app) != 0 || !is_production(e))
			continue;
		int result = store_stables(c->parts.store, app, e->name, STABLES_LOOKED_AT,
					   take_good, &good, err);
		if (result < 0)
			return result;
		if (good.release[0] &&
		    (!ret_good->environment || good.at_unix_ms < ret_good->at_unix_ms))
			*ret_good = good;
	}
	if (!ret_good->environment)
		return 0;
	int result = store_release_get(c->parts.store, ret_good->release, &row, NULL, err);
	if (result == 0)
		text_copy(ret_good->tag, sizeof ret_good->tag, row.tag);
	return result;
}

void known_name(const struct known_good *good, char *to, size_t size)
{
	snprintf(to, size, "%.70s (%.50s)", good->tag, good->environment->name);
}

static int find_build(struct control *c, const char *release, struct store_build *ret_build,
		      struct error *err)
{
	char origin[DIGEST_HEX_SIZE];
	int result = release_origin(c->parts.store, release, origin, err);
	return result < 0 ? result : store_build_of_release(c->parts.store, origin, ret_build, err);
}

/* --- for the builder */

/* The store reads one thing at a time: first which sets there are, then each. */
struct sets {
	uint32_t count;
	struct {
		char stage[STORE_NAME_SIZE], digest[STORE_ID_SIZE];
	} items[BUILDS_STAGES_MAX];
};

static int add_set(void *context, const struct store_build_stage *stage)
{
	struct sets *sets = context;
	if (!stage->found[0] || sets->count == BUILDS_STAGES_MAX)
		return 0;
	text_copy(sets->items[sets->count].stage, STORE_NAME_SIZE, stage->name);
	text_copy(sets->items[sets->count++].digest, STORE_ID_SIZE, stage->found);
	return 0;
}

static int hand_over(struct control *c, const char *app, uint32_t build, struct error *err)
{
	struct builds *builds = c->parts.builds;
	struct sets *sets = mem_zero(1, sizeof *sets);
	int result = store_build_stages(c->parts.store, build, add_set, sets, err);
	for (uint32_t i = 0; result == 0 && i < sets->count; i++) {
		const char *stage = sets->items[i].stage;
		struct buf bytes;
		buf_init(&bytes, STORE_BLOB_MAX);
		if (store_findings_get(c->parts.store, sets->items[i].digest, &bytes, err) < 0) {
			log_event(LOG_WARNING, "control.known", "build=%u stage=%s error=\"%s\"",
				  build, stage, err->text);
			buf_clear(&bytes);
		}
		result = builds->ops->known(builds, app, stage, buf_text(&bytes), bytes.size, err);
		buf_done(&bytes);
	}
	free(sets);
	return result;
}

/* The build of the last good release of production, 0: `ret_known` says why there is none. */
static int find_known(struct control *c, const char *app, struct known *ret_known,
		      uint32_t *ret_build, struct error *err)
{
	struct known_good good;
	*ret_known = (struct known){.unknown = KNOWN_NONE_YET};
	*ret_build = 0;
	int result = known_last_good(c, app, &good, err);
	if (result < 0 || !good.environment)
		return result;
	struct store_build *b = mem_zero(1, sizeof *b);
	result = find_build(c, good.release, b, err);
	if (result == ERR_NOT_FOUND) {
		snprintf(ret_known->unknown, sizeof ret_known->unknown,
			 "%s, the last good release of %s, was not built here", good.tag,
			 good.environment->name);
		result = 0;
	} else if (result == 0) {
		known_name(&good, ret_known->since, sizeof ret_known->since);
		*ret_build = b->number;
	}
	free(b);
	return result;
}

int known_hand_over(struct control *c, const char *app, struct known *ret_known, struct error *err)
{
	struct builds *builds = c->parts.builds;
	uint32_t build = 0;
	int result = builds->ops->known(builds, app, NULL, NULL, 0, err);
	if (result == 0)
		result = find_known(c, app, ret_known, &build, err);
	return result == 0 && build > 0 ? hand_over(c, app, build, err) : result;
}

/* --- for builds made elsewhere */

int known_of_stage(struct control *c, const char *app, const char *stage, struct known *ret_known,
		   bool *ret_kept, struct buf *to, struct error *err)
{
	struct sets *sets = mem_zero(1, sizeof *sets);
	uint32_t build;
	*ret_kept = false;
	int result = find_known(c, app, ret_known, &build, err);
	if (result == 0 && build > 0)
		result = store_build_stages(c->parts.store, build, add_set, sets, err);
	for (uint32_t i = 0; result == 0 && i < sets->count && !*ret_kept; i++) {
		if (strcmp(sets->items[i].stage, stage) != 0)
			continue;
		*ret_kept = true;
		if (store_findings_get(c->parts.store, sets->items[i].digest, to, err) < 0) {
			log_event(LOG_WARNING, "control.known", "build=%u stage=%s error=\"%s\"",
				  build, stage, err->text);
			buf_clear(to); /* which is no set: whoever reads it says so */
		}
	}
	free(sets);
	return result;
}

/* --- for people */

/* The newest of each scan of a check comes first. */
struct shown {
	struct view_findings *to;
	char name[STORE_NAME_SIZE];
	uint32_t position;
};

static int add_check(void *context, const struct store_check_scan *scan)
{
	struct shown *shown = context;
	struct view_findings *to = shown->to;
	if (strcmp(shown->name, scan->name) == 0 && shown->position == scan->position)
		return 0;
	text_copy(shown->name, sizeof shown->name, scan->name);
	shown->position = scan->position;
	to->scanned = true;
	to->fresh += scan->fresh;
	to->known += scan->known;
	to->fixed += scan->fixed;
	to->waived += scan->waived;
	if (scan->since[0])
		text_copy(to->since, sizeof to->since, scan->since);
	return 0;
}

static int show_checks(struct control *c, const char *release, struct view_findings *to,
		       struct error *err)
{
	char origin[DIGEST_HEX_SIZE];
	struct shown shown = {.to = to};
	int result = release_origin(c->parts.store, release, origin, err);
	return result < 0 ? result
			  : store_check_scans(c->parts.store, origin, add_check, &shown, err);
}

static int add_counts(void *context, const struct store_build_stage *stage)
{
	struct view_findings *to = context;
	if (!stage->scanned)
		return 0;
	to->scanned = true;
	to->fresh += stage->fresh;
	to->known += stage->known;
	to->fixed += stage->fixed;
	to->waived += stage->waived;
	if (stage->since[0])
		text_copy(to->since, sizeof to->since, stage->since);
	return 0;
}

static int show_build(struct control *c, const char *release, struct view_findings *to,
		      struct error *err)
{
	struct store_build *b = mem_zero(1, sizeof *b);
	int result = find_build(c, release, b, err);
	if (result == 0)
		result = store_build_stages(c->parts.store, b->number, add_counts, to, err);
	if (result == 0 && to->scanned)
		to->build = b->number;
	free(b);
	return result == ERR_NOT_FOUND ? 0 : result;
}

void known_show(struct control *c, const char *release, struct view_findings *to)
{
	struct error ignored; /* what cannot be read is not shown */
	*to = (struct view_findings){.scanned = false};
	if (show_build(c, release, to, &ignored) < 0 || show_checks(c, release, to, &ignored) < 0)
		to->scanned = false;
}
