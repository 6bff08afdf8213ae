/* SPDX-License-Identifier: Apache-2.0
 * server_floor - see server_floor.h for the contract. */
#include "config/server_floor.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/server.h"

static const char KPI[] = "kpi:";

/* ---- the table ---- */

static const char *const guards[] = {"errors",     "refused", "latency", "crashes",
				     "log_errors", "cpu",     "memory",  NULL};
static const char *const kinds[] = {"kind:get", "kind:run", "kind:scan", NULL};

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

static bool is_wanted_check(const char *text)
{
	return text_is_name(text) || is_one_of(text, kinds);
}

static bool is_guard(const char *text)
{
	return is_one_of(text, guards) ||
	       (text_starts(text, KPI) && text_is_name(text + strlen(KPI)));
}

#define ROLE_SHAPE                                                                     \
	.flags = SCHEMA_ONE, .max = 16, .valid = text_is_name,                         \
	.shape = "names of groups or people of this file, such as [release-managers]", \
	.example = "[release-managers]"

static const struct schema_key protected_keys[] = {
	{"approve", SCHEMA_SECTION, AT(server_protected, approve), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_approve, .example = "{ by: [release-managers], count: 2 }",
	 .doc = "The least that is asked here, whatever the repository says."},
	{"from", SCHEMA_TEXT, AT(server_protected, from), .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "staging",
	 .doc = "Only a release that was live and good in this environment of the application "
		"before comes here, whatever the repository says."},
	{"soak", SCHEMA_DURATION, AT(server_protected, soak_ms), .min = 1, .max = DAY(30),
	 .example = "30m",
	 .doc = "At least so long; where the repository says longer, that counts."},
	{"windows", SCHEMA_SECTION, AT(server_protected, windows), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_windows, .example = "{ days: mon-thu, hours: \"09:00-16:00\" }",
	 .doc = "When releases may go out here at all; the repository's own have to be open too."},
	{"signed_tags", SCHEMA_BOOL, AT(server_protected, signed_tags), .example = "true",
	 .doc = "A push brings a release here only by a tag that one of `allowed_signers` has "
		"signed, whatever the repository says."},
	{"verify", SCHEMA_TEXTS, AT(server_protected, verify), .flags = SCHEMA_ONE, .max = 8,
	 .valid = is_wanted_check,
	 .shape = "a check's name such as smoke, or kind:get, kind:run or kind:scan",
	 .example = "[smoke, \"kind:scan\"]",
	 .doc = "Checks that the commit has to have in `verify` of this environment, or it does "
		"not come here: by name, or one of a kind: `kind:get` asks the release for a "
		"page, `kind:run` runs a command, `kind:scan` reads a report of findings."},
	{"analysis", SCHEMA_TEXTS, AT(server_protected, analysis), .flags = SCHEMA_ONE, .max = 16,
	 .valid = is_guard,
	 .shape = "errors, refused, latency, crashes, log_errors, cpu, memory, or kpi: and the "
		  "name of a KPI",
	 .example = "[errors, latency, \"kpi:checkouts\"]",
	 .doc = "What the commit has to have judged here, or it does not come here. How much "
		"worse is tolerated stays the commit's to say."},
	{"deploy", SCHEMA_TEXTS, AT(server_protected, roles[SERVER_DEPLOY]), ROLE_SHAPE,
	 .doc = "Groups and people who may begin, steer and restart rollouts here. Left out, and "
		"the next three too: whoever runs the server, and tokens with the scope. What is "
		"left out of the next three is as here."},
	{"rollback", SCHEMA_TEXTS, AT(server_protected, roles[SERVER_ROLLBACK]), ROLE_SHAPE,
	 .doc = "Who may go back here, abort, and mark a release bad. Who may `deploy` may that "
		"as well."},
	{"freeze", SCHEMA_TEXTS, AT(server_protected, roles[SERVER_FREEZE]), ROLE_SHAPE,
	 .doc = "Who may freeze this environment, and thaw it."},
	{"clear", SCHEMA_TEXTS, AT(server_protected, roles[SERVER_CLEAR]), ROLE_SHAPE,
	 .doc = "Who may lift the mark of a bad release, or bring it here all the same "
		"(`--allow-bad`)."},
};

const struct schema_section server_protected_section = {.title = "protected environment",
							KEYS(protected_keys),
							.doc = "A floor for one environment."};

void server_floor_defaults(struct server_protected *floor)
{
	if (floor->approve.set != 0)
		schema_defaults(&schema_approve, &floor->approve);
	if (floor->windows.set != 0)
		schema_defaults(&schema_windows, &floor->windows);
}

const struct server_protected *server_floor_of(const struct server *s, const char *key)
{
	for (uint32_t i = 0; s && i < s->protected_count; i++)
		if (strcmp(s->protected[i].name, key) == 0)
			return &s->protected[i];
	return NULL;
}

bool server_approval(const struct server *s, const char *key, const struct app_approve *own,
		     struct app_approve *ret_approve)
{
	const struct server_protected *floor = server_floor_of(s, key);
	const struct app_approve *least = floor && floor->approve.set != 0 ? &floor->approve : NULL;
	*ret_approve = own->set != 0 || !least ? *own : *least;
	if (own->set != 0 && least) {
		if (least->by.count > 0)
			ret_approve->by = least->by;
		if (least->count > own->count)
			ret_approve->count = least->count;
		if (least->expires_ms < own->expires_ms)
			ret_approve->expires_ms = least->expires_ms;
		ret_approve->not_author |= least->not_author;
	}
	return own->set != 0 || least;
}

struct server_passage server_passage(const struct server *s, const char *key,
				     const struct app_environment *own)
{
	const struct server_protected *floor = server_floor_of(s, key);
	struct server_passage p = {.from = own->from, .soak_ms = own->soak_ms};
	if (own->windows.set != 0)
		p.windows[p.window_count++] = &own->windows;
	if (!floor)
		return p;
	if (floor->from)
		p.from = floor->from;
	if (floor->soak_ms > p.soak_ms)
		p.soak_ms = floor->soak_ms;
	if (floor->windows.set != 0)
		p.windows[p.window_count++] = &floor->windows;
	return p;
}

/* ---- what a commit has to have ---- */

static const struct app_check *check_of(const struct resolved *config, const char *name)
{
	for (uint32_t i = 0; i < config->check_count; i++)
		if (strcmp(config->checks[i].name, name) == 0)
			return &config->checks[i];
	return NULL;
}

static bool is_of_kind(const struct app_check *check, const char *kind)
{
	bool get = false, run = false, scan = false;
	for (uint32_t i = 0; i < check->count; i++) {
		const struct app_probe *probe = &check->probes[i];
		get |= probe->get != NULL;
		scan |= probe->sarif != NULL;
		run |= probe->run.set != 0;
	}
	return strcmp(kind, "kind:get") == 0 ? get : strcmp(kind, "kind:run") == 0 ? run : scan;
}

static bool verifies(const struct resolved *config, const char *wanted)
{
	const struct app_texts *verify = &config->environment.verify;
	for (uint32_t i = 0; i < verify->count; i++) {
		const struct app_check *check = check_of(config, verify->items[i]);
		if (strcmp(verify->items[i], wanted) == 0 ||
		    (check && text_starts(wanted, "kind:") && is_of_kind(check, wanted)))
			return true;
	}
	return false;
}

static bool has_kpi(const struct app_analysis *a, const char *name)
{
	for (uint32_t i = 0; i < a->kpi_count; i++)
		if (strcmp(a->kpis[i].name, name) == 0)
			return true;
	return false;
}

/* Plain rules hold with every method, where they are written. */
static bool latency_is_judged(const struct app_analysis *a)
{
	const struct app_latency *l = &a->latency;
	bool plain = l->p50.max_ms + l->p90.max_ms + l->p99.max_ms + l->p999.max_ms > 0;
	return l->state == APP_ANALYSIS_ON && (plain || a->method != APP_JUDGE_RULES);
}

/* Is it compared with the live release? What the other judges do not look at is not. */
static bool is_compared(const struct app_analysis *a, const char *guard)
{
	if (a->method != APP_JUDGE_SEQUENTIAL)
		return false;
	if (strcmp(guard, "refused") == 0)
		return a->refused.state == APP_ANALYSIS_ON;
	if (strcmp(guard, "crashes") == 0)
		return a->crashes.state == APP_ANALYSIS_ON;
	if (strcmp(guard, "log_errors") == 0)
		return a->log_errors.set != 0 && a->log_errors.state == APP_ANALYSIS_ON;
	if (strcmp(guard, "cpu") == 0)
		return a->cpu.set != 0 && a->cpu.state == APP_ANALYSIS_ON;
	if (strcmp(guard, "memory") == 0)
		return a->memory.set != 0 && a->memory.state == APP_ANALYSIS_ON;
	return has_kpi(a, guard + strlen(KPI));
}

static bool judges(const struct app_analysis *a, const char *guard)
{
	if (a->state != APP_ANALYSIS_ON)
		return false;
	if (strcmp(guard, "errors") == 0)
		return true;
	return strcmp(guard, "latency") == 0 ? latency_is_judged(a) : is_compared(a, guard);
}

struct words {
	char *to;
	size_t size, used;
	bool any;
};

static void add_word(struct words *w, const char *before, const char *word, const char *after)
{
	if (w->used < w->size)
		w->used += (size_t)snprintf(w->to + w->used, w->size - w->used, "%s%s%s%s",
					    w->any ? ", " : "", before, word, after);
	w->any = true;
}

bool server_missing(const struct server *s, const char *key, const struct resolved *config,
		    char *to, size_t size)
{
	const struct server_protected *floor = server_floor_of(s, key);
	struct words words = {.to = to, .size = size};
	to[0] = '\0';
	for (uint32_t i = 0; floor && i < floor->verify.count; i++) {
		const char *wanted = floor->verify.items[i];
		bool kind = text_starts(wanted, "kind:");
		if (!verifies(config, wanted))
			add_word(&words, kind ? "a check of " : "the check ", wanted, " (verify)");
	}
	for (uint32_t i = 0; floor && i < floor->analysis.count; i++)
		if (!judges(&config->environment.analysis, floor->analysis.items[i]))
			add_word(&words, "", floor->analysis.items[i], " (analysis)");
	return words.any;
}

/* ---- what no key says alone ---- */

bool server_floor_check(const struct server *s, const struct server_protected *floor, char *why,
			size_t why_size)
{
	for (uint32_t role = 0; role < SERVER_ROLE_COUNT; role++)
		for (uint32_t k = 0; k < floor->roles[role].count; k++) {
			const char *name = floor->roles[role].items[k];
			if (server_names(s, name))
				continue;
			snprintf(why, why_size,
				 "There is no group and nobody called \"%s\", whom \"%s\" names; "
				 "see groups and people.",
				 name, server_role_word((enum server_role)role));
			return false;
		}
	return true;
}
