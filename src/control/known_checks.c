/* SPDX-License-Identifier: Apache-2.0
 * known_checks - see known.h for the contract. What checks of what runs are compared with, and what is kept of them. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/known.h"
#include "store/check_scans.h"
#include "store/findings.h"

enum { ROLLOUTS_KEPT = 500 };

/* Which scan that is, of that release. */
static int name_scan(const struct environment *e, const char *release, const struct check *check,
		     struct store_check_scan *to, struct error *err)
{
	*to = (struct store_check_scan){.position = check->scan};
	text_copy(to->environment, sizeof to->environment, e->name);
	text_copy(to->name, sizeof to->name, check->name);
	return release_origin(e->control->parts.store, release, to->release, err);
}

static int read_kept(struct environment *e, const struct store_check_scan *scan,
		     struct check_base *to, struct error *err)
{
	int result = store_findings_get(e->control->parts.store, scan->found, &to->findings, err);
	to->there = result == 0;
	if (result != ERR_NOT_FOUND && result != ERR_CORRUPT)
		return result;
	log_event(LOG_WARNING, "control.known", "environment=%s check=%s error=\"%s\"", e->key,
		  scan->name, err->text);
	return error_set(err, ERR_CORRUPT,
			 "What this check found in %s is no longer in the server's store as it was "
			 "kept; name a \"baseline\" in the check, or bring another release to "
			 "production.",
			 to->since);
}

int known_of_check(void *environment, const struct check *check, struct check_base *ret_base,
		   struct error *err)
{
	struct environment *e = environment;
	struct known_good good;
	struct store_check_scan which, scan;
	int result = known_last_good(e->control, e->app, &good, err);
	if (result < 0)
		return result;
	if (!good.environment) {
		text_copy(ret_base->unknown, sizeof ret_base->unknown, KNOWN_NONE_YET);
		return 0;
	}
	known_name(&good, ret_base->since, sizeof ret_base->since);
	result = name_scan(e, good.release, check, &which, err);
	if (result == 0)
		result = store_check_scan_find(e->control->parts.store, &which, &scan, err);
	if (result == 0)
		return read_kept(e, &scan, ret_base, err);
	return result == ERR_NOT_FOUND ? 0 : result; /* nothing is kept: all is new */
}

void known_keep_check(void *environment, const struct check *check, const struct check_found *found)
{
	struct environment *e = environment;
	struct store *store = e->control->parts.store;
	struct store_check_scan row;
	struct error err;
	if (!e->active)
		return;
	int result = name_scan(e, e->active->candidate.hex, check, &row, &err);
	if (result == 0) {
		row.rollout = e->active->number;
		row.at_unix_ms = env_wall_ms(e->control->parts.env);
		row.fresh = found->fresh;
		row.known = found->known;
		row.fixed = found->fixed;
		row.waived = found->waived;
		row.suppressed = found->suppressed;
		text_copy(row.since, sizeof row.since, found->since);
		control_begin(e->control, false);
		store_put_findings(store, buf_text(&found->kept), found->kept.size, row.found);
		store_put_check_scan(store, &row);
		if (row.rollout > ROLLOUTS_KEPT)
			store_forget_check_scans(store, row.rollout - ROLLOUTS_KEPT);
		result = control_commit(e->control, &err);
	}
	if (result < 0) /* then the next release is compared with nothing, and all is new */
		log_event(LOG_WARNING, "control.known", "environment=%s check=%s error=\"%s\"",
			  e->key, check->name, err.text);
}
