/* SPDX-License-Identifier: Apache-2.0
 * builder_role - see builder_role.h for the contract. What blocks runs in another thread, as in build_verb.c. */
#include "daemon/builder_role.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/config_file.h"
#include "config/trigger.h"
#include "daemon/build_scan.h"
#include "drivers/builder/local.h"
#include "drivers/builder/signed_tag.h"
#include "pipeline/run.h"

enum {
	PACK_MS = 10 * 60 * 1000,
	ARGUMENTS = 14,
	SECRETS_MAX = 64,
	SECRETS_BYTES = 1 << 20,
	CONFLICT_TRIES = 100,
	CONFLICT_MS = 100,
	TEXT_SIZE = 1024
};

static const char TAGS[] = "refs/tags/";

struct role {
	struct loop *loop;
	atomic_bool cancelled;
	const char *directory, *repository, *commit, *ref, *wanted_app;
	const char *signers, *signed_only;
	const char *since, *unknown; /* the release in production */
	struct checkout checkout;
	char scratch[CHECKOUT_PATH_SIZE];
	bool verify; /* the tag, before anything is run */
	struct buf config;
	struct app *app;
	char fallback[CHECKOUT_NAME_MAX + 16];
	const char *no_secrets; /* why none are given; "": they are */
	char unmaskable[TEXT_SIZE];
	struct buf secret_bytes;
	const char *secrets[SECRETS_MAX];
	uint32_t secret_count;
	struct mask *mask; /* of them; NULL: there are none */
	struct builder_local_settings settings;
	struct builder *builder;
	struct run *run;
	uint32_t number, origin;
	/* What was found of each stage; number 0: nothing that can be taken. */
	struct kept_stage kept[APP_STAGES_MAX];
	int status; /* of what ran in the other thread */
	struct error err;
};

static void put_text(const char *text)
{
	char safe[TEXT_SIZE];
	printf("\t%s", text_show(text, strlen(text), safe, sizeof safe));
}

static void say_end(struct role *r, const char *outcome, const char *why, const char *archive)
{
	const struct checkout *c = &r->checkout;
	printf("end\t%s", outcome);
	put_text(why);
	put_text(archive);
	printf("\t%s\t%s\t%s\t%llu", c->author, c->address, c->subject,
	       (unsigned long long)c->committed_unix_s);
	for (uint32_t i = 0; r->app && i < r->app->environment_count; i++)
		if (trigger_matches(&r->app->environments[i].trigger, r->ref))
			put_text(r->app->environments[i].name);
	puts("");
	fflush(stdout);
	loop_stop(r->loop);
}

static void fail(struct role *r)
{
	say_end(r, r->status == ERR_CLOSED ? "cancelled" : "failed", r->err.text, "");
}

/* --- the run */

static void say_findings(const struct builder_result *result)
{
	const struct builder_findings *f = &result->findings;
	if (!result->scanned)
		return;
	printf("\t%u\t%u\t%u\t%u\t%u", f->fresh, f->known, f->fixed, f->waived, f->suppressed);
	put_text(f->since);
}

static void on_changed(void *context, uint32_t index)
{
	struct role *r = context;
	struct run_stage stage = run_stage(r->run, index);
	const struct builder_tests *tests = &stage.result->tests;
	enum graph_state state = stage.graph->state;
	bool timeout = state == GRAPH_FAILED && stage.graph->stop == GRAPH_STOP_TIMEOUT;
	bool tested = stage.result->tested;
	uint32_t attempt = stage.graph->attempt, from = 0;
	if (run_is_taken(r->run, index)) { /* it has passed, also before the beginning */
		state = GRAPH_PASSED;
		attempt = r->kept[index].attempt;
		from = r->kept[index].number != r->number ? r->kept[index].number : 0;
	}
	printf("stage\t%s\t%s\t%u\t%llu\t%u\t%u\t%u", stage.name,
	       from > 0 ? "taken" : graph_state_name(state), attempt,
	       (unsigned long long)stage.took_ms, tested ? tests->tests : 0,
	       tested ? tests->failed : 0, tested ? tests->skipped : 0);
	put_text(timeout                  ? "Its time was over."
		 : state == GRAPH_FAILED  ? stage.result->sentence
		 : state == GRAPH_SKIPPED ? (stage.blame ? stage.blame : "left out")
					  : "");
	printf("\t%u", from);
	say_findings(stage.result);
	puts("");
	fflush(stdout);
}

static void on_line(void *context, uint32_t stage, const char *text, size_t size)
{
	(void)context; /* it is in the stage's log */
	(void)stage;
	(void)text;
	(void)size;
}

static void on_done(void *context)
{
	struct role *r = context;
	char archive[CHECKOUT_PATH_SIZE + 16];
	bool archived = false;
	for (uint32_t i = 0; i < run_count(r->run); i++)
		archived = archived || run_stage(r->run, i).result->archived;
	snprintf(archive, sizeof archive, "%s/release.tar", r->directory);
	switch (run_outcome(r->run)) {
	case GRAPH_PASSED: say_end(r, "passed", "", archived ? archive : ""); break;
	case GRAPH_FAILED: say_end(r, "failed", "", ""); break;
	case GRAPH_PENDING:
	case GRAPH_RUNNING:
	case GRAPH_SKIPPED:
	case GRAPH_CANCELLED:
	case GRAPH_STATE_COUNT: say_end(r, "cancelled", "", ""); break;
	}
}

/* Each after what it needs: until nothing more can be taken. The rest runs, whatever there was of it. */
static int take_over(struct role *r)
{
	bool more = true;
	int code = 0;
	while (more) {
		more = false;
		for (uint32_t i = 0; i < run_count(r->run); i++) {
			struct kept_stage *kept = &r->kept[i];
			struct builder_result result = {
				.passed = true,
				.archived = kept->archived,
				.tested = kept->tests > 0,
				.tests = {.tests = kept->tests,
					  .failed = kept->failed,
					  .skipped = kept->skipped},
				.scanned = kept->scanned,
				.findings = {.fresh = kept->fresh,
					     .known = kept->known,
					     .fixed = kept->fixed,
					     .waived = kept->waived,
					     .suppressed = kept->suppressed}};
			if (kept->number == 0 || !run_can_take(r->run, i))
				continue;
			text_copy(result.findings.since, sizeof result.findings.since, kept->since);
			if (builder_local_take(r->builder, run_stage(r->run, i).name, kept,
					       &r->err) < 0) {
				kept->number = 0;
				continue;
			}
			run_take(r->run, i, kept->attempt, kept->took_ms, &result);
			more = true;
		}
	}
	for (uint32_t i = 0; code == 0 && i < run_count(r->run); i++) {
		if (run_is_taken(r->run, i))
			continue;
		r->kept[i].number = 0;
		code = builder_local_drop(r->builder, run_stage(r->run, i).name, &r->err);
	}
	return code;
}

static void opened(void *context)
{
	struct role *r = context;
	const struct run_listener listener = {
		.changed = on_changed, .line = on_line, .done = on_done, .context = r};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const char *tag = text_starts(r->ref, TAGS) ? r->ref + sizeof TAGS - 1 : "";
	const struct run_settings settings = {.branch = r->checkout.branch,
					      .tag = tag,
					      .secrets = r->no_secrets[0] ? NULL : r->secrets,
					      .secret_count = r->secret_count,
					      .no_secrets = r->no_secrets,
					      .parallel =
						      processors > 0 ? (uint32_t)processors : 1};
	if (r->status == 0 && atomic_load(&r->cancelled))
		r->status = error_set(&r->err, ERR_CLOSED, "Cancelled.");
	if (r->status == 0)
		r->status = run_new(loop_env(r->loop), r->builder, r->app, &settings, &listener,
				    &r->run, &r->err);
	if (r->status == 0)
		r->status = take_over(r);
	if (r->status < 0) {
		fail(r);
		return;
	}
	for (uint32_t i = 0; i < run_count(r->run); i++)
		on_changed(r, i); /* so that all are known from the beginning */
	run_begin(r->run);
}

/* What the ref brings a release to may ask for a signed tag, by the commit's own word or the server's. */
static void ask_for_signature(struct role *r)
{
	bool tag = text_starts(r->ref, TAGS);
	for (uint32_t i = 0; r->status == 0 && i < r->app->environment_count; i++) {
		const struct app_environment *e = &r->app->environments[i];
		if (!trigger_matches(&e->trigger, r->ref))
			continue;
		bool floor = text_is_among(r->signed_only, e->name);
		r->verify |= tag && (floor || e->trigger.signed_only);
		if (floor && !tag)
			r->status = error_set(&r->err, ERR_DENIED,
					      "Only a signed tag brings a release to %s, says the "
					      "server's own file, and %s is none.",
					      e->name, r->ref);
	}
}

static int verify_tag(struct role *r)
{
	const struct signed_tag tag = {.repository = r->repository,
				       .name = r->ref + sizeof TAGS - 1,
				       .commit = r->checkout.commit,
				       .signers = r->signers,
				       .scratch = r->scratch,
				       .cancelled = &r->cancelled};
	return signed_tag_check(&tag, &r->err);
}

/* A controller that was killed may have left a builder that is just dying. */
static void open_builder(void *context)
{
	struct role *r = context;
	const struct timespec pause = {.tv_nsec = CONFLICT_MS * 1000000L};
	if (r->verify && (r->status = verify_tag(r)) < 0)
		return;
	for (int i = 0; i < CONFLICT_TRIES; i++) {
		r->status = builder_local_open(r->loop, &r->settings, &r->builder, &r->err);
		if (r->status != ERR_CONFLICT || atomic_load(&r->cancelled))
			break;
		nanosleep(&pause, NULL);
	}
	for (uint32_t i = 0;
	     r->status == 0 && !atomic_load(&r->cancelled) && i < r->app->stage_count; i++)
		if (!builder_local_find(r->builder, r->app->stages[i].name, &r->kept[i]))
			r->kept[i].number = 0;
}

/* Without a pipeline all of the commit is the release. */
static void pack_all(struct app *app)
{
	struct app_stage *package = &app->stages[0];
	app->stage_count = 1;
	*package = (struct app_stage){.set = UINT32_MAX, .name = "package", .timeout_ms = PACK_MS};
	package->archive.count = 1;
	package->archive.items[0] = ".";
}

/* The first thing that is wrong with it, with its place. */
static int read_config(struct role *r)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	if (config_load(buf_text(&r->config), r->config.size, "davit.yaml", &r->app, errors) < 0)
		r->status = error_set(&r->err, ERR_INVALID, "%s", errors->items[0].text);
	free(errors);
	return r->status;
}

static void found(void *context)
{
	struct role *r = context;
	if (r->status == 0)
		r->status = read_config(r);
	if (r->status == 0 && strcmp(r->app->name, r->wanted_app) != 0)
		r->status =
			error_set(&r->err, ERR_CONFLICT,
				  "The davit.yaml of this commit is that of \"%s\", not of \"%s\".",
				  r->app->name, r->wanted_app);
	if (r->status == 0)
		ask_for_signature(r);
	if (r->status < 0) {
		fail(r);
		return;
	}
	if (r->app->stage_count == 0)
		pack_all(r->app);
	const char *branch = trigger_fallback(r->app, r->ref);
	snprintf(r->fallback, sizeof r->fallback, "refs/heads/%s", branch ? branch : "");
	r->settings = (struct builder_local_settings){.directory = r->directory,
						      .application = r->app->name,
						      .checkout = &r->checkout,
						      .cache_ref = r->ref[0] ? r->ref : r->commit,
						      .cache_fallback = branch ? r->fallback : NULL,
						      .number = r->number,
						      .origin = r->origin,
						      .log_bytes = LOCAL_LOG_BYTES,
						      .work_bytes = LOCAL_WORK_BYTES,
						      .cache_bytes = UINT64_C(4) << 30,
						      .since = r->since[0] ? r->since : NULL,
						      .unknown = r->unknown,
						      .mask = r->mask,
						      .judge = build_scan_judge};
	loop_work(r->loop, open_builder, opened, r);
}

/* "stages/npm=value", each with its NUL, on standard input. What cannot be masked is not given. */
static int take_secrets(struct role *r)
{
	char part[4096];
	ssize_t size;
	for (off_t at = 0; (size = pread(STDIN_FILENO, part, sizeof part, at)) > 0; at += size)
		buf_append(&r->secret_bytes, part, (size_t)size);
	explicit_bzero(part, sizeof part);
	if (r->secret_bytes.size == 0)
		return 0;
	r->mask = mem_new(sizeof *r->mask);
	mask_init(r->mask);
	const char *at = r->secret_bytes.data, *end = at + r->secret_bytes.size;
	for (; at < end && !r->secret_bytes.overflowed; at += strlen(at) + 1) {
		const char *value = strchr(at, '=');
		if (r->secret_count == SECRETS_MAX || !value ||
		    !mask_add(r->mask, value + 1, strlen(value + 1)))
			break;
		r->secrets[r->secret_count++] = at;
	}
	return at == end
		       ? 0
		       : error_set(&r->err, ERR_LIMIT,
				   "The secrets of stages are too many, or too large together, to "
				   "be masked in logs; remove some: davit secrets list");
}

static void find_commit(void *context)
{
	struct role *r = context;
	snprintf(r->scratch, sizeof r->scratch, "%s/commit.git", r->directory);
	r->status = checkout_at(r->repository, r->commit, r->scratch, &r->cancelled, &r->checkout,
				&r->err);
	if (r->status == 0 && text_starts(r->ref, "refs/heads/") &&
	    checkout_is_name(r->ref + sizeof "refs/heads/" - 1))
		text_copy(r->checkout.branch, sizeof r->checkout.branch,
			  r->ref + sizeof "refs/heads/" - 1);
	if (r->status == 0)
		r->status = checkout_file(&r->checkout, "davit.yaml", &r->config, &r->err);
}

static void on_signal(void *context, int number)
{
	struct role *r = context;
	(void)number;
	bool before = atomic_exchange(&r->cancelled, true);
	if (r->run && !before)
		run_cancel(r->run);
}

int builder_role(int argc, char **argv)
{
	struct role r = {0};
	struct loop_signal *term;
	char parent[16];
	uint64_t number, origin;
	if (argc != ARGUMENTS) {
		fputs("davit: the builder is started by davit itself.\n", stderr);
		return 2;
	}
	/* A run that nobody follows is begun again by the next controller: it must not go on beside that. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(parent, sizeof parent, "%d", (int)getppid());
	if (strcmp(parent, argv[6]) != 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	r.directory = argv[1];
	r.repository = argv[2];
	r.commit = argv[3];
	r.ref = argv[4];
	r.wanted_app = argv[5];
	if (!text_parse_u64(argv[7], UINT32_MAX, &number) ||
	    !text_parse_u64(argv[8], UINT32_MAX, &origin))
		return 2;
	r.number = (uint32_t)number;
	r.origin = (uint32_t)origin;
	r.signers = argv[9];
	r.signed_only = argv[10];
	r.since = argv[11];
	r.unknown = argv[12];
	r.no_secrets = argv[13];
	buf_init(&r.secret_bytes, SECRETS_BYTES);
	r.secret_bytes.secret = true;
	if (take_secrets(&r) < 0) {
		text_copy(r.unmaskable, sizeof r.unmaskable, r.err.text);
		r.no_secrets = r.unmaskable;
	}
	buf_init(&r.config, CONFIG_FILE_MAX);
	if (loop_new(&r.loop, &r.err) < 0 ||
	    loop_signal_start(r.loop, SIGTERM, on_signal, &r, &term, &r.err) < 0) {
		fprintf(stderr, "davit: %s\n", r.err.text);
		return 1;
	}
	loop_work(r.loop, find_commit, found, &r);
	loop_run(r.loop);
	run_free(r.run);
	if (r.builder)
		builder_local_close(r.builder);
	loop_free(r.loop);
	config_free(r.app);
	buf_done(&r.config);
	buf_done(&r.secret_bytes);
	if (r.mask)
		explicit_bzero(r.mask, sizeof *r.mask);
	free(r.mask);
	return 0;
}
