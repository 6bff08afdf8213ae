/* SPDX-License-Identifier: Apache-2.0
 * sources - see sources.h for the contract. */
#include "daemon/sources.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "control/builds.h"
#include "control/drifting.h"
#include "control/schedules.h"
#include "daemon/source_find.h"
#include "daemon/source_look.h"
#include "daemon/webhook_listener.h"
#include "os/file.h"
#include "store/builds.h"
#include "store/git_tags.h"
#include "store/tag_pushes.h"

enum { TICK_MS = 1000, PATH_SIZE = PATH_MAX };

struct source {
	struct source *next;
	struct source_daemon *daemon;
	char app[64], token_file[1024];
	bool named;             /* still in the server's file, or among the repositories */
	bool again;             /* as soon as the look that runs has ended */
	uint64_t due_ms;        /* monotonic */
	uint64_t began_unix_ms; /* the last look */
	struct sources_row row;
	char repository[PATH_SIZE], seen[PATH_SIZE], scratch[PATH_SIZE];
	/* The look's own while it runs. */
	struct source_place place;
	struct source_found *found;
	pthread_t thread;
	atomic_bool ended;
	int result;
	struct error err;
};

struct source_daemon {
	struct sources sources; /* first: what is handed out */
	struct sources_parts parts;
	struct env *env;
	struct env_timer timer;
	struct source *first;
	struct webhook_listener *listener;
	uint32_t looking;
	atomic_bool cancelled;
	int ended_fd; /* an eventfd: some thread has ended */
	struct loop_watch *ended;
};

static struct source_daemon *of(struct sources *sources)
{
	return (struct source_daemon *)sources;
}

static struct source *find(struct source_daemon *d, const char *app, bool hosted)
{
	for (struct source *s = d->first; s; s = s->next)
		if (s->row.hosted == hosted && strcmp(s->app, app) == 0)
			return s;
	return NULL;
}

/* --- one look */

/* In a thread of its own: a host that hangs must not take those of the loop, which are few. */
static void *look(void *context)
{
	struct source *s = context;
	int fd = s->daemon->ended_fd;
	s->result = source_look(&s->place, &s->daemon->cancelled, s->found, &s->err);
	atomic_store(&s->ended, true);
	(void)!write(fd, &(uint64_t){1}, sizeof(uint64_t));
	return NULL;
}

/* A tag that davit made itself, for a release that succeeded, brings nothing new; nor where it pushed it to. */
static int is_ours(const struct source *s, const struct source_change *change, struct error *err)
{
	static const char tags[] = "refs/tags/";
	struct store *store = s->daemon->parts.store;
	const char *name = change->ref + sizeof tags - 1;
	if (!text_starts(change->ref, tags))
		return 0;
	return s->row.hosted ? store_git_tag_ours(store, s->repository, name, change->commit, err)
			     : store_tag_push_ours(store, s->app, name, change->commit, err);
}

/* A push that came while we looked has ordered something newer: the commit that we saw must not come after it. */
static bool is_overtaken(const struct source *s, const struct source_change *change)
{
	struct store_build *newest = mem_zero(1, sizeof *newest);
	struct error ignored;
	bool is = store_build_of_ref(s->daemon->parts.store, s->app, s->repository, change->ref,
				     newest, &ignored) == 0 &&
		  newest->created_unix_ms >= s->began_unix_ms &&
		  strcmp(newest->commit, change->commit) != 0;
	free(newest);
	return is;
}

static int order_builds(struct source *s, struct error *err)
{
	struct source_daemon *d = s->daemon;
	struct control_caller caller = {.who = ""};
	snprintf(caller.who, sizeof caller.who, "%s:%s", s->row.hosted ? "push" : "source", s->app);
	for (uint32_t i = 0; i < s->found->count; i++) {
		const struct source_change *change = &s->found->changes[i];
		const struct build_order order = {.app = s->app,
						  .repository = s->repository,
						  .commit = change->commit,
						  .ref = change->ref,
						  .target = BUILD_TARGET_TRIGGERED,
						  .once = true};
		uint32_t number;
		int code = is_ours(s, change, err);
		if (code == 1)
			continue;
		if (code == 0 && is_overtaken(s, change)) {
			s->again = true;
			return error_set(err, ERR_RETRY, "It moved while it was looked at.");
		}
		if (code == 0)
			code = control_build(d->parts.control, &caller, &order, &number, err);
		if (code == ERR_INVALID) { /* a tag that no release can be called by: it stays so */
			snprintf(s->found->note, sizeof s->found->note, "%s is not built: %s",
				 change->ref, err->text);
			continue;
		}
		if (code < 0)
			return code;
		FAILPOINT("sources.after-order");
		log_event(LOG_INFO, "sources.order", "app=%s ref=\"%s\" commit=%s build=%u", s->app,
			  change->ref, change->commit, number);
	}
	return 0;
}

/* Before it counts as seen. Where nothing has moved, nothing is said anew. */
static int take_schedules(struct source *s, struct error *err)
{
	const struct schedules_found found = {.app = s->app,
					      .repository = s->repository,
					      .refs = s->found->more ? NULL
								     : buf_text(&s->found->seen),
					      .read = buf_text(&s->found->read),
					      .count = s->found->scheduled,
					      .rows = s->found->schedules};
	return s->found->seen_changed ? schedules_take(s->daemon->parts.control, &found, err) : 0;
}

static void say(struct source *s, int code)
{
	const char *why = code < 0 ? s->err.text : "";
	if (strcmp(s->row.why, why) == 0)
		return;
	if (code < 0)
		log_event(LOG_WARNING, "sources.look", "app=%s error=\"%s\"", s->app, why);
	else
		log_event(LOG_INFO, "sources.look", "app=%s again=fine", s->app);
	text_copy(s->row.why, sizeof s->row.why, why);
}

static void say_note(struct source *s)
{
	if (!s->found->note[0] || strcmp(s->row.note, s->found->note) == 0)
		return;
	text_copy(s->row.note, sizeof s->row.note, s->found->note);
	log_event(LOG_WARNING, "sources.note", "app=%s note=\"%s\"", s->app, s->row.note);
}

/* The server's file may have named another place, or none, while we looked. */
static bool is_wanted(const struct source *s)
{
	const struct server_source *named;
	if (s->row.hosted)
		return true;
	named = sources_find(&s->daemon->sources, s->app);
	return named && strcmp(named->git, s->row.git) == 0;
}

static void looked(struct source *s)
{
	struct source_daemon *d = s->daemon;
	d->looking--;
	s->row.looking = false;
	if (s->result != ERR_CLOSED && is_wanted(s)) {
		if (s->result == 0)
			s->result = order_builds(s, &s->err);
		if (s->result == 0)
			s->result = take_schedules(s, &s->err);
		if (s->result == 0)
			s->result = source_look_seen(&s->place, s->found, &s->err);
		if (s->result == 0 && s->found->seen_changed)
			drifting_due(d->parts.control, s->app);
		if (s->result == 0 && !s->found->more) /* or what is newest may be among the rest */
			s->result = schedules_run(d->parts.control, s->app, s->repository,
						  s->began_unix_ms, &s->err);
		say(s, s->result);
		s->row.looked_unix_ms = env_wall_ms(d->env);
		if (s->result == 0)
			s->row.refs = s->found->refs;
		say_note(s);
		s->again |= s->result == 0 && s->found->more;
	}
	s->due_ms = env_now_ms(d->env) + (s->again ? 0 : s->row.poll_ms);
	s->again = false;
	source_look_free(s->found);
	free(s->found);
	s->found = NULL;
}

static void on_ended(void *context, int events)
{
	struct source_daemon *d = context;
	uint64_t count;
	(void)events;
	(void)!read(d->ended_fd, &count, sizeof count);
	for (struct source *s = d->first; s; s = s->next)
		if (s->row.looking && atomic_load(&s->ended)) {
			pthread_join(s->thread, NULL);
			looked(s);
		}
	d->env->ops->timer_start(d->env, &d->timer, 0);
}

static void begin(struct source *s)
{
	s->place = (struct source_place){.app = s->app,
					 .git = s->row.hosted ? NULL : s->row.git,
					 .token_file = s->token_file[0] ? s->token_file : NULL,
					 .repository = s->repository,
					 .seen = s->seen,
					 .scratch = s->scratch};
	s->found = mem_zero(1, sizeof *s->found);
	s->row.looking = true;
	s->began_unix_ms = env_wall_ms(s->daemon->env);
	s->daemon->looking++;
	atomic_store(&s->ended, false);
	int code = pthread_create(&s->thread, NULL, look, s);
	if (code == 0)
		return;
	s->result = error_errno(&s->err, code, "No thread can be started");
	looked(s);
}

/* --- which there are */

static struct source *add(struct source_daemon *d, const char *app, bool hosted)
{
	struct source *s = find(d, app, hosted);
	if (s)
		return s;
	s = mem_zero(1, sizeof *s);
	s->daemon = d;
	text_copy(s->app, sizeof s->app, app);
	s->row.app = s->app;
	s->row.repository = s->repository;
	s->row.hosted = hosted;
	snprintf(s->repository, sizeof s->repository, "%s/%s/%s.git", d->parts.state,
		 hosted ? "repositories" : "sources", app);
	snprintf(s->seen, sizeof s->seen, "%s/sources/%s.%s", d->parts.state, app,
		 hosted ? "pushed" : "seen");
	snprintf(s->scratch, sizeof s->scratch, "%s/sources/%s.%s-scratch", d->parts.state, app,
		 hosted ? "pushed" : "seen");
	s->next = d->first;
	d->first = s;
	return s;
}

static void take_named(struct source_daemon *d, const struct server *server)
{
	static const char *const hosts[SERVER_HOST_COUNT] = {"github", "gitlab", "gitea"};
	for (uint32_t i = 0; server && i < server->source_count; i++) {
		const struct server_source *named = &server->sources[i];
		struct source *s = add(d, named->name, false);
		s->named = true;
		if (s->row.looking) /* its texts are read in another thread */
			continue;
		if (strcmp(s->row.git, named->git) != 0) {
			text_copy(s->row.git, sizeof s->row.git, named->git);
			s->due_ms = 0;
		}
		if (s->row.poll_ms > named->poll_ms)
			s->due_ms = 0;
		s->row.poll_ms = named->poll_ms;
		text_copy(s->token_file, sizeof s->token_file,
			  named->token_file ? named->token_file : "");
		text_copy(s->row.hook, sizeof s->row.hook,
			  named->webhook.set != 0 ? hosts[named->webhook.from] : "");
	}
}

/* Directories APP.git of the state's repositories. */
static void take_hosted(struct source_daemon *d)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	uint32_t count = 0;
	snprintf(path, sizeof path, "%s/repositories", d->parts.state);
	DIR *directory = opendir(path);
	while (directory && count < SOURCES_HOSTED_MAX && (entry = readdir(directory))) {
		char app[64];
		size_t length = strlen(entry->d_name);
		if (length < 5 || length - 4 >= sizeof app ||
		    strcmp(entry->d_name + length - 4, ".git") != 0)
			continue;
		snprintf(app, sizeof app, "%.*s", (int)(length - 4), entry->d_name);
		if (!text_is_name(app))
			continue;
		struct source *s = add(d, app, true);
		s->named = true;
		s->row.poll_ms = SOURCES_HOSTED_MS;
		text_copy(s->row.git, sizeof s->row.git, s->repository);
		count++;
	}
	if (directory)
		closedir(directory);
}

static void drop_others(struct source_daemon *d)
{
	for (struct source **at = &d->first; *at;) {
		struct source *s = *at;
		if (s->named || s->row.looking) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}

/* --- time */

static void soon(struct source *s)
{
	if (s->row.looking)
		s->again = true;
	else
		s->due_ms = 0;
}

/* A time has come: what is there now? One look is begun for it; where that fails, the next one at the interval serves it. */
static int look_for(void *context, const struct store_schedule *row)
{
	struct source_daemon *d = context;
	for (struct source *s = d->first; s; s = s->next)
		if (strcmp(s->app, row->app) == 0 && strcmp(s->repository, row->repository) == 0 &&
		    s->began_unix_ms < row->due_unix_ms)
			soon(s);
	return 0;
}

static void look_for_schedules(struct source_daemon *d)
{
	struct error err;
	if (store_schedules_due(d->parts.store, env_wall_ms(d->env), look_for, d, &err) < 0)
		log_event(LOG_WARNING, "sources.schedule", "error=\"%s\"", err.text);
}

static void tick(void *context)
{
	struct source_daemon *d = context;
	const struct server *server = d->parts.server(d->parts.server_context);
	uint64_t now = env_now_ms(d->env);
	for (struct source *s = d->first; s; s = s->next)
		s->named = false;
	take_named(d, server);
	take_hosted(d); /* a new one is looked at before anybody pushes a tag to it */
	drop_others(d);
	look_for_schedules(d);
	for (struct source *s = d->first; s && d->looking < SOURCES_AT_ONCE; s = s->next)
		if (!s->row.looking && now >= s->due_ms)
			begin(s);
	webhook_listener_keep(d->listener,
			      server && server->webhooks.set != 0 ? &server->webhooks : NULL);
	d->sources.listen = webhook_listener_address(d->listener);
	d->env->ops->timer_start(d->env, &d->timer, TICK_MS);
}

/* --- what others ask */

static void visit_all(struct sources *sources, sources_visit visit, void *context)
{
	for (const struct source *s = of(sources)->first; s; s = s->next)
		visit(context, &s->row);
}

static void now(struct source *s)
{
	soon(s);
	s->daemon->env->ops->timer_start(s->daemon->env, &s->daemon->timer, 0);
}

static int look_now(struct sources *sources, const char *app, struct error *err)
{
	struct source *elsewhere = find(of(sources), app, false),
		      *hosted = find(of(sources), app, true);
	if (!elsewhere && !hosted)
		return error_set(err, ERR_NOT_FOUND,
				 "No repository of \"%s\" is looked at; name it in the server's "
				 "file, under sources.",
				 app);
	if (elsewhere)
		now(elsewhere);
	if (hosted)
		now(hosted);
	return 0;
}

const struct server_source *sources_find(struct sources *sources, const char *app)
{
	const struct sources_parts *parts = &of(sources)->parts;
	return server_source_of(parts->server(parts->server_context), app);
}

void sources_hooked(struct sources *sources, const char *app)
{
	struct source *s = find(of(sources), app, false);
	if (!s)
		return;
	s->row.taken++;
	s->row.hooked_unix_ms = env_wall_ms(of(sources)->env);
	now(s);
}

void sources_refused(struct sources *sources, const char *app, const char *why)
{
	struct source *s = find(of(sources), app, false);
	if (!s)
		return;
	s->row.refused++;
	text_copy(s->row.refusal, sizeof s->row.refusal, why);
}

/* --- life */

static const struct sources_ops ops = {.visit = visit_all, .look = look_now, .find = source_find};

int sources_new(const struct sources_parts *parts, struct sources **ret_sources, struct error *err)
{
	struct source_daemon *d = mem_zero(1, sizeof *d);
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/sources", parts->state);
	int code = file_make_directories(AT_FDCWD, path, 0700, err);
	if (code < 0) {
		free(d);
		return code;
	}
	d->parts = *parts;
	d->sources.ops = &ops;
	d->env = loop_env(parts->loop);
	d->timer = (struct env_timer){.fire = tick, .context = d};
	d->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	code = d->ended_fd < 0 ? error_errno(err, errno, "The end of a thread cannot be watched")
			       : loop_watch_start(parts->loop, d->ended_fd, LOOP_READ, on_ended, d,
						  &d->ended, err);
	if (code < 0) {
		if (d->ended_fd >= 0)
			close(d->ended_fd);
		free(d);
		return code;
	}
	d->listener = webhook_listener_new(parts->loop, parts->control, &d->sources);
	d->env->ops->timer_start(d->env, &d->timer, 0);
	*ret_sources = &d->sources;
	return 0;
}

void sources_cancel(struct sources *sources)
{
	if (!sources)
		return;
	struct source_daemon *d = of(sources);
	atomic_store(&d->cancelled, true);
	d->env->ops->timer_stop(d->env, &d->timer);
	loop_watch_stop(d->ended);
	webhook_listener_free(d->listener);
	d->listener = NULL;
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	struct source_daemon *d = of(sources);
	while (d->first) {
		struct source *s = d->first;
		d->first = s->next;
		if (s->found) {
			pthread_join(s->thread, NULL);
			source_look_free(s->found);
			free(s->found);
		}
		free(s);
	}
	close(d->ended_fd);
	free(d);
}
