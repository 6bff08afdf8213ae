/* SPDX-License-Identifier: Apache-2.0
 * controller - see controller.h for the contract. The object graph is made top down and undone bottom up. */
#include "daemon/controller.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/api.h"
#include "base/log.h"
#include "base/text.h"
#include "control/control.h"
#include "daemon/build_scan.h"
#include "daemon/external_scan.h"
#include "daemon/secret_key.h"
#include "daemon/server_file.h"
#include "daemon/sources.h"
#include "daemon/state.h"
#include "drivers/artifact/local.h"
#include "drivers/builder/history.h"
#include "drivers/builder/tag_push.h"
#include "drivers/builds/process.h"
#include "drivers/certificates/uacme.h"
#include "drivers/check/smoke.h"
#include "drivers/host/host.h"
#include "drivers/metrics/scrape.h"
#include "drivers/plans/file.h"
#include "drivers/postmortem/file.h"
#include "drivers/router/builtin.h"
#include "drivers/runtime/process.h"
#include "drivers/ticks/file.h"
#include "os/loop.h"
#include "os/zone.h"
#include "store/store.h"

enum { PATH_SIZE = 4096 + 64, EXIT_REFUSED = 2 };

struct controller {
	struct state_directory *state;
	struct server_file *server_file;
	struct secret_key_place secret_key;
	struct loop *loop;
	struct store *store;
	struct artifact_store *artifacts;
	struct check_runner *checks;
	struct ticks *ticks;
	struct plans *plans;
	struct postmortems *postmortems;
	struct metrics *metrics;
	struct builds *builds;
	struct history *history;
	struct tag_pusher *tag_pusher;
	struct certificates *certificates;
	struct host *host;
	struct runtime *runtime;
	struct router *router;
	struct control *control;
	struct sources *sources;
	struct api *api;
	struct loop_signal *term, *interrupt;
};

static void on_term(void *context, int number)
{
	struct controller *c = context;
	(void)number;
	loop_stop(c->loop);
}

static void on_instances_ended(void *context)
{
	struct controller *c = context;
	loop_stop(c->loop);
}

static void on_interrupt(void *context, int number)
{
	struct controller *c = context;
	(void)number;
	control_stop_instances(c->control, on_instances_ended, c);
}

static int open_history(struct controller *c, struct error *err)
{
	char scratch[PATH_SIZE], hosted[PATH_SIZE], copies[PATH_SIZE];
	int result = history_new(state_file(c->state, "builds/history", scratch, sizeof scratch),
				 state_file(c->state, "repositories", hosted, sizeof hosted),
				 state_file(c->state, "sources", copies, sizeof copies),
				 &c->history, err);
	return result < 0 ? result
			  : tag_push_new(state_file(c->state, "builds/tag-push", scratch,
						    sizeof scratch),
					 &c->tag_pusher, err);
}

static int open_world(struct controller *c, struct error *err)
{
	char path[PATH_SIZE];
	int result = artifact_local_new(state_file(c->state, "artifacts", path, sizeof path),
					&c->artifacts, err);
	if (result == 0)
		result = runtime_process_new(c->loop, state_fd(c->state), NULL, &c->runtime, err);
	if (result == 0)
		result = ticks_file_new(state_fd(c->state), &c->ticks, err);
	if (result == 0)
		result = postmortem_file_new(state_fd(c->state), &c->postmortems, err);
	if (result == 0)
		result = plans_file_new(state_fd(c->state), state_path(c->state), &c->plans, err);
	if (result == 0)
		result = builds_process_new(c->loop,
					    state_file(c->state, "builds", path, sizeof path),
					    &c->builds, err);
	if (result == 0)
		result = uacme_new(state_file(c->state, "acme", path, sizeof path),
				   &c->certificates, err);
	if (result == 0)
		result = open_history(c, err);
	if (result < 0)
		return result;
	c->checks = smoke_new(c->loop, state_fd(c->state), build_scan_judge_check);
	c->metrics = scrape_new(c->loop);
	c->host = host_http_new();
	c->router = builtin_router_new(c->loop, state_fd(c->state));
	return 0;
}

static void run_beside(void *context, void (*work)(void *job), void (*done)(void *job), void *job)
{
	loop_work(context, work, done, job);
}

static int open_control(struct controller *c, struct error *err)
{
	struct control_parts parts = {.env = loop_env(c->loop),
				      .store = c->store,
				      .runtime = c->runtime,
				      .router = c->router,
				      .artifacts = c->artifacts,
				      .checks = c->checks,
				      .ticks = c->ticks,
				      .postmortems = c->postmortems,
				      .plans = c->plans,
				      .metrics = c->metrics,
				      .builds = c->builds,
				      .judge_scan = external_scan_judge,
				      .history = c->history,
				      .tag_pusher = c->tag_pusher,
				      .certificates = c->certificates,
				      .host = c->host,
				      .background = run_beside,
				      .background_context = c->loop,
				      .server = server_file_now,
				      .server_context = c->server_file,
				      .zone_offset = zone_offset,
				      .secret_key = secret_key_read,
				      .secret_key_context = &c->secret_key};
	c->secret_key.server_file = c->server_file;
	state_file(c->state, "secrets.key", c->secret_key.usual, sizeof c->secret_key.usual);
	c->control = control_new(&parts);
	return control_start(c->control, err);
}

static int open_sources(struct controller *c, struct error *err)
{
	const struct sources_parts parts = {.loop = c->loop,
					    .control = c->control,
					    .store = c->store,
					    .server = server_file_now,
					    .server_context = c->server_file,
					    .state = state_path(c->state)};
	return sources_new(&parts, &c->sources, err);
}

static void share_socket(void *context, const char *group)
{
	struct controller *c = context;
	struct error err;
	if (state_share(c->state, "api.sock", group, &err) < 0)
		log_event(LOG_ERROR, "api.share", "group=\"%s\" error=\"%s\"", group, err.text);
	else
		log_event(LOG_INFO, "api.share", "group=\"%s\"", group);
}

static int open_api(struct controller *c, struct error *err)
{
	struct api_parts parts = {.loop = c->loop,
				  .control = c->control,
				  .store = c->store,
				  .artifacts = c->artifacts,
				  .builds = c->builds,
				  .sources = c->sources,
				  .server = server_file_now,
				  .server_context = c->server_file,
				  .state_directory = state_path(c->state),
				  .version = DAVIT_VERSION,
				  .share = share_socket,
				  .share_context = c};
	int result = state_listen(c->state, "api.sock", &parts.listen_fd, err);
	return result < 0 ? result : api_new(&parts, &c->api, err);
}

static int open_all(struct controller *c, const char *state, const char *server_file,
		    struct error *err)
{
	char path[PATH_SIZE];
	int result = state_open(state, false, &c->state, err);
	if (result == 0)
		result = server_file_open(server_file, &c->server_file, err);
	if (result == 0)
		result = store_open(state_file(c->state, "davit.db", path, sizeof path), &c->store,
				    err);
	if (result == 0)
		result = loop_new(&c->loop, err);
	if (result == 0)
		result = open_world(c, err);
	if (result == 0)
		result = open_control(c, err);
	if (result == 0)
		result = loop_signal_start(c->loop, SIGTERM, on_term, c, &c->term, err);
	if (result == 0)
		result = loop_signal_start(c->loop, SIGINT, on_interrupt, c, &c->interrupt, err);
	if (result == 0)
		result = open_sources(c, err);
	if (result == 0)
		result = open_api(c, err);
	return result;
}

static void close_all(struct controller *c)
{
	api_free(c->api);
	sources_cancel(c->sources);
	builds_process_cancel(c->builds);
	control_free(c->control);
	if (c->router)
		c->router->ops->free(c->router);
	if (c->runtime)
		c->runtime->ops->free(c->runtime);
	smoke_free(c->checks);
	scrape_free(c->metrics);
	if (c->history)
		history_cancel(c->history);
	tag_push_cancel(c->tag_pusher);
	uacme_cancel(c->certificates);
	host_http_cancel(c->host);
	loop_free(c->loop); /* waits for what runs beside it, which uses the following */
	builds_process_free(c->builds);
	sources_free(c->sources);
	ticks_file_free(c->ticks);
	postmortem_file_free(c->postmortems);
	plans_file_free(c->plans);
	history_free(c->history);
	tag_push_free(c->tag_pusher);
	uacme_free(c->certificates);
	host_http_free(c->host);
	artifact_local_free(c->artifacts);
	store_close(c->store);
	server_file_close(c->server_file);
	state_close(c->state);
}

int controller_run(const char *state, const char *server_file, bool verbose)
{
	struct controller c = {0};
	struct error err;
	log_init("controller", verbose ? LOG_DEBUG : LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	int result = open_all(&c, state, server_file, &err);
	if (result < 0)
		fprintf(stderr, "davit: %s\n", err.text);
	else
		loop_run(c.loop);
	close_all(&c);
	/* What another try at once will not change is said once. */
	bool refused = result == ERR_UNSUPPORTED || result == ERR_CORRUPT ||
		       result == ERR_NO_SPACE || result == ERR_DENIED;
	return result == 0 ? 0 : refused ? EXIT_REFUSED : 1;
}
