/* SPDX-License-Identifier: Apache-2.0
 * source_look - see source_look.h for the contract. */
#include "daemon/source_look.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config/schedule.h"
#include "config/trigger.h"
#include "drivers/builder/git.h"
#include "drivers/builder/git_remote.h"
#include "os/file.h"

enum {
	ASK_MS = 60 * 1000,
	FETCH_MS = 20 * 60 * 1000,
	URL_SIZE = 1100,
	CONFIG_MAX = 1 << 20,
	NAMES_SIZE = 512,
	SOURCE_HEAD_SIZE = URL_SIZE + 8,
	WORDS_MAX = 32
};

/* --- fetching */

static int unlock(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	size_t size = strlen(path);
	(void)about;
	(void)where;
	if (kind == FTW_F && size > 5 && strcmp(path + size - 5, ".lock") == 0)
		(void)!unlink(path);
	return 0;
}

/* Nobody but a look writes the mirror: what is locked was locked by a git that was killed. */
static void unlock_mirror(const struct source_place *place)
{
	static const char *const files[] = {"packed-refs", "HEAD", "config", "shallow"};
	char path[CHECKOUT_PATH_SIZE + 32];
	snprintf(path, sizeof path, "%s/refs", place->repository);
	(void)!nftw(path, unlock, 16, FTW_PHYS);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s.lock", place->repository, files[i]);
		(void)!unlink(path);
	}
}

/* Under another name, until it is whole. */
static int make_mirror(const struct source_place *place, const atomic_bool *cancelled,
		       struct error *err)
{
	const struct git_ask ask = {.directory = "/",
				    .verb = "make a mirror",
				    .deadline_ms = ASK_MS,
				    .cancelled = cancelled};
	const char *const words[] = {"-c",     "init.defaultBranch=main",
				     "init",   "--quiet",
				     "--bare", "--template=",
				     "--",     place->scratch,
				     NULL};
	struct buf out;
	if (access(place->repository, F_OK) == 0) {
		unlock_mirror(place);
		return 0;
	}
	int code = file_remove_tree(AT_FDCWD, place->scratch, err);
	buf_init(&out, GIT_LINE_MAX);
	if (code == 0)
		code = git_run(&ask, words, &out, err);
	if (code == 0 && rename(place->scratch, place->repository) != 0)
		code = error_errno(err, errno, "The mirror %s cannot be made", place->repository);
	buf_done(&out);
	return code;
}

static int fetch(const struct source_place *place, const atomic_bool *cancelled, struct error *err)
{
	const struct git_remote remote = {.git = place->git, .token_file = place->token_file};
	const struct git_ask ask = {.directory = place->repository,
				    .verb = "fetch from it",
				    .deadline_ms = FETCH_MS,
				    .cancelled = cancelled};
	static const char *const begin[] = {"-c",
					    "gc.autoDetach=false",
					    "-c",
					    "maintenance.autoDetach=false",
					    "fetch",
					    "--quiet",
					    "--force",
					    "--prune",
					    "--no-tags",
					    "--no-write-fetch-head",
					    "--no-recurse-submodules"};
	const char *words[WORDS_MAX];
	size_t count = sizeof begin / sizeof begin[0];
	struct buf out;
	int code = make_mirror(place, cancelled, err);
	if (code < 0)
		return code;
	memcpy(words, begin, sizeof begin);
	/* Whose the files of the other end are is its own affair. */
	if (text_starts(place->git, "file://"))
		words[count++] = "--upload-pack=git -c safe.directory=* upload-pack";
	words[count++] = "--";
	words[count++] = place->git;
	words[count++] = "+refs/heads/*:refs/heads/*";
	words[count++] = "+refs/tags/*:refs/tags/*";
	words[count] = NULL;
	buf_init(&out, GIT_LINE_MAX);
	code = git_remote_run(&remote, &ask, words, &out, err);
	buf_done(&out);
	return code;
}

/* --- what has moved */

static int list_refs(const struct source_place *place, const atomic_bool *cancelled, struct buf *to,
		     struct error *err)
{
	char git_dir[CHECKOUT_PATH_SIZE + 16];
	const struct git_ask ask = {.directory = "/",
				    .verb = "list its refs",
				    .deadline_ms = ASK_MS,
				    .cancelled = cancelled};
	const char *const words[] = {
		git_dir,      "for-each-ref", "--format=%(objectname) %(refname)",
		"refs/heads", "refs/tags",    NULL};
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", place->repository);
	int code = git_run(&ask, words, to, err);
	return code == 0 && to->overflowed
		       ? error_set(err, ERR_LIMIT,
				   "It has more branches and tags than davit reads.")
		       : code;
}

/* Of two lists in the order of their names, this one's next line. */
struct refs {
	char *rest;
	const char *id, *name;
};

static bool next_ref(struct refs *r)
{
	char *line = strsep(&r->rest, "\n");
	r->id = line && *line ? strsep(&line, " ") : NULL;
	r->name = line;
	return r->id && r->name;
}

static void note(struct source_found *found, const char *ref, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void note(struct source_found *found, const char *ref, const char *format, ...)
{
	char shown[SOURCE_NOTE_SIZE / 2];
	va_list args;
	int used =
		snprintf(found->note, sizeof found->note,
			 "%s is not built: ", text_escape(ref, strlen(ref), shown, sizeof shown));
	va_start(args, format);
	vsnprintf(found->note + used, sizeof found->note - (size_t)used, format, args);
	va_end(args);
}

/* What is wrong with a commit stays so and is noted; what is wrong with the machine ends the look, and is tried again. */
static bool is_of_commit(int code)
{
	return code == ERR_INVALID || code == ERR_NOT_FOUND || code == ERR_LIMIT;
}

/* Environments that get this commit at times. */
static void take_schedules(const struct app *app, const char *ref, const char *commit,
			   struct source_found *found)
{
	buf_printf(&found->read, " %s\n", ref);
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *e = &app->environments[i];
		char times[SCHEDULE_TEXT_SIZE];
		if (!trigger_is_timed(&e->trigger, ref))
			continue;
		found->schedules = mem_grow(found->schedules,
					    (found->scheduled + 1) * sizeof *found->schedules);
		struct store_schedule *row = &found->schedules[found->scheduled++];
		*row = (struct store_schedule){.app = ""};
		text_copy(row->ref, sizeof row->ref, ref);
		text_copy(row->environment, sizeof row->environment, e->name);
		text_copy(row->times, sizeof row->times,
			  schedule_text(&e->trigger.schedule, times));
		text_copy(row->zone, sizeof row->zone, e->trigger.zone ? e->trigger.zone : "UTC");
		text_copy(row->tip, sizeof row->tip, commit);
	}
}

/* Does the file of this commit want it? What is wrong with it people see where they see the last look. */
static int ask_file(const struct source_place *place, const struct checkout *c, const char *ref,
		    struct source_found *found, bool *ret_wanted, struct error *err)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct app *app = NULL;
	struct buf text;
	char names[NAMES_SIZE];
	buf_init(&text, CONFIG_MAX);
	*ret_wanted = false;
	int code = checkout_file(c, "davit.yaml", &text, err);
	if (is_of_commit(code)) {
		note(found, ref, "%s", err->text);
		code = 0;
	} else if (code == 0 &&
		   config_load(buf_text(&text), text.size, "davit.yaml", &app, errors) < 0) {
		note(found, ref, "%s: %s", errors->items[0].where, errors->items[0].text);
	} else if (code == 0 && strcmp(app->name, place->app) != 0) {
		note(found, ref, "its davit.yaml is that of %s.", app->name);
	} else if (code == 0) {
		*ret_wanted = trigger_environments(app, ref, names, sizeof names);
		take_schedules(app, ref, c->commit, found);
	}
	config_free(app);
	buf_done(&text);
	free(errors);
	return code;
}

static int take_change(const struct source_place *place, const atomic_bool *cancelled,
		       const struct refs *now, struct source_found *found, struct error *err)
{
	const char *name = strchr(now->name + sizeof "refs/" - 1, '/');
	struct error ignored;
	bool wanted = false;
	if (!name || !checkout_is_name(name + 1)) {
		note(found, now->name,
		     "its name has other characters than letters, digits and . _ / -");
		return 0;
	}
	struct checkout *c = mem_zero(1, sizeof *c);
	int code = checkout_at(place->repository, now->id, place->scratch, cancelled, c, err);
	if (is_of_commit(code)) {
		note(found, now->name, "%s", err->text);
		code = 0;
	} else if (code == 0) {
		code = ask_file(place, c, now->name, found, &wanted, err);
	}
	if (code == 0 && wanted) {
		struct source_change *change = &found->changes[found->count++];
		text_copy(change->ref, sizeof change->ref, now->name);
		text_copy(change->commit, sizeof change->commit, c->commit);
	}
	free(c);
	(void)!file_remove_tree(AT_FDCWD, place->scratch, &ignored);
	return code;
}

/* `old` stands at the first name that is not before `now`'s. */
static int compare(const struct source_place *place, const atomic_bool *cancelled, char *text,
		   char *before, struct source_found *found, struct error *err)
{
	struct refs now = {.rest = text}, old = {.rest = before};
	bool first = !before, has_old = before && next_ref(&old);
	while (next_ref(&now)) {
		const char *keep = now.id;
		int code = 0;
		found->refs++;
		while (has_old && strcmp(old.name, now.name) < 0)
			has_old = next_ref(&old);
		bool known = has_old && strcmp(old.name, now.name) == 0;
		if ((known && strcmp(old.id, now.id) == 0) ||
		    (first && text_starts(now.name, "refs/tags/"))) {
			/* as it was */
		} else if (found->count == SOURCE_CHANGES_MAX ||
			   found->scheduled >= SOURCE_SCHEDULES_MAX) {
			keep = known ? old.id : NULL;
			found->more = true;
		} else {
			code = take_change(place, cancelled, &now, found, err);
		}
		if (code < 0)
			return code;
		if (keep)
			buf_printf(&found->seen, "%s %s\n", keep, now.name);
	}
	return 0;
}

int source_look(const struct source_place *place, const atomic_bool *cancelled,
		struct source_found *found, struct error *err)
{
	struct buf now, before, old;
	struct error none;
	*found = (struct source_found){.refs = 0};
	buf_init(&found->seen, SOURCE_REFS_MAX);
	buf_init(&found->read, SOURCE_REFS_MAX);
	buf_init(&now, SOURCE_REFS_MAX);
	buf_init(&before, SOURCE_REFS_MAX);
	buf_init(&old, SOURCE_REFS_MAX);
	char head[SOURCE_HEAD_SIZE];
	snprintf(head, sizeof head, "# %s\n", place->git ? place->git : place->repository);
	buf_puts(&found->seen, head);
	int code = place->git ? fetch(place, cancelled, err) : 0;
	if (code == 0)
		code = list_refs(place, cancelled, &now, err);
	int has_seen = code == 0 ? file_read(AT_FDCWD, place->seen, &before, &none) : 0;
	if (code == 0 && has_seen == 0 && !text_starts(buf_text(&before), head))
		has_seen = ERR_NOT_FOUND; /* it is of another place */
	if (code == 0 && has_seen < 0 && has_seen != ERR_NOT_FOUND) {
		*err = none;
		code = has_seen;
	}
	if (code == 0) {
		if (has_seen == 0)
			buf_puts(&old, buf_text(&before) + strlen(head));
		code = compare(place, cancelled, now.data ? now.data : (char[]){""},
			       has_seen < 0 ? NULL
			       : old.data   ? old.data
					    : (char[]){""},
			       found, err);
	}
	found->seen_changed = has_seen < 0 || before.size != found->seen.size ||
			      memcmp(buf_text(&before), buf_text(&found->seen), before.size) != 0;
	buf_done(&now);
	buf_done(&before);
	buf_done(&old);
	return code;
}

int source_look_seen(const struct source_place *place, const struct source_found *found,
		     struct error *err)
{
	return !found->seen_changed ? 0
				    : file_write(AT_FDCWD, place->seen, buf_text(&found->seen),
						 found->seen.size, 0600, err);
}

void source_look_free(struct source_found *found)
{
	buf_done(&found->seen);
	buf_done(&found->read);
	free(found->schedules);
}
