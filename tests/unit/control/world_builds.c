/* SPDX-License-Identifier: Apache-2.0
 * world_builds - see world_builds.h for the contract. */
#include "world_builds.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

static const char yaml[] = "app: shop\n"
			   "service: { run: bin/server --port $PORT, health: { path: /up, "
			   "interval: 1s, min_healthy: 500ms } }\n"
			   "strategies: { quick: [switch] }\n"
			   "environments:\n"
			   "  staging: { listen: \"127.0.0.1:8081\", strategy: quick }\n"
			   "  prod: { listen: \"127.0.0.1:8080\", strategy: quick }\n";

/* --- a builder that a test drives */

struct world_builder world_builder;

static int known(struct builds *builds, const char *app, const char *stage, const void *bytes,
		 size_t size, struct error *err)
{
	size_t used = strlen(world_builder.known);
	(void)builds;
	(void)err;
	assert_string_equal(app, "shop");
	if (!stage)
		world_builder.known[0] = '\0';
	else
		snprintf(world_builder.known + used, sizeof world_builder.known - used, "%s=%.*s ",
			 stage, (int)size, (const char *)bytes);
	return 0;
}

static int start(struct builds *builds, const struct builds_order *order, struct error *err)
{
	(void)builds;
	size_t used = strlen(world_builder.order);
	assert_int_equal(world_builder.running, 0); /* one at a time */
	if (world_builder.refuses) {
		world_builder.refuses = false;
		return error_set(err, ERR_NO_SPACE, "No process can be started.");
	}
	world_builder.running = order->number;
	world_builder.origin = order->origin;
	text_copy(world_builder.since, sizeof world_builder.since, order->since);
	text_copy(world_builder.unknown, sizeof world_builder.unknown, order->unknown);
	world_builder.started++;
	snprintf(world_builder.order + used, sizeof world_builder.order - used, "%u ",
		 order->number);
	return 0;
}

static void cancel(struct builds *builds, uint32_t number)
{
	(void)builds;
	world_builder.cancelled = number;
}

static bool find_logs(const struct builds *builds, const char *app, uint32_t number, char *to,
		      size_t size)
{
	(void)builds;
	(void)app;
	(void)number;
	return text_copy(to, size, "/nowhere");
}

/* Each build that has ended has logs of so many bytes, until they are forgotten. */
static int kept(struct builds *builds, void (*each)(void *context, uint32_t number, uint64_t bytes),
		void *context, struct error *err)
{
	(void)builds;
	(void)err;
	for (uint32_t i = world_builder.log_count; i > 0; i--)
		each(context, world_builder.logs[i - 1], world_builder.log_bytes);
	return 0;
}

static int forget(struct builds *builds, uint32_t number, struct error *err)
{
	(void)builds;
	(void)err;
	for (uint32_t i = 0; i < world_builder.log_count; i++)
		if (world_builder.logs[i] == number) {
			world_builder.logs[i] = world_builder.logs[--world_builder.log_count];
			return 0;
		}
	fail_msg("there are no logs of build %u", number);
	return 0;
}

static const struct builds_ops script_ops = {.known = known,
					     .start = start,
					     .cancel = cancel,
					     .logs = find_logs,
					     .kept = kept,
					     .forget = forget};

void builder_ends(const char *state, const char *archive, const char *environment)
{
	struct builds_outcome o = {.author = "Ann <ann@example.com>", .subject = "A change"};
	uint32_t number = world_builder.running;
	text_copy(o.state, sizeof o.state, state);
	text_copy(o.archive, sizeof o.archive, archive);
	if (environment) {
		o.environment_count = 1;
		text_copy(o.environments[0], BUILDS_NAME_SIZE, environment);
	}
	world_builder.running = 0;
	if (world_builder.log_bytes > 0)
		world_builder.logs[world_builder.log_count++] = number;
	world_builder.builds.listener.done(world_builder.builds.listener.context, number, &o);
}

/* --- artifacts with a davit.yaml */

static char files[64];

static int import(struct artifact_store *a, int fd, const char *name, struct artifact_info *info,
		  struct error *err)
{
	char bytes[64] = "";
	(void)a;
	(void)name;
	(void)err;
	ssize_t n = read(fd, bytes, sizeof bytes);
	*info = (struct artifact_info){.digest = digest_of(bytes, n > 0 ? (size_t)n : 0),
				       .entries = 1};
	return 0;
}

static int path(struct artifact_store *a, const struct digest *digest, char *to, size_t size,
		struct error *err)
{
	(void)a;
	(void)digest;
	(void)err;
	text_copy(to, size, files);
	return 0;
}

static struct artifact_ops artifact_ops;

void builder_file(const char *name, const char *text)
{
	char whole[128];
	snprintf(whole, sizeof whole, "%s/%s", files, name);
	int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

const char *builder_archive(const char *content)
{
	static char whole[128];
	world_behaviour(content); /* known by its digest */
	builder_file("release.tar", content);
	snprintf(whole, sizeof whole, "%s/release.tar", files);
	return whole;
}

int builder_setup(void **state)
{
	(void)state;
	memset(&world_builder, 0, sizeof world_builder);
	world_builder.builds.ops = &script_ops;
	text_copy(files, sizeof files, "/tmp/davit-builds-XXXXXX");
	assert_non_null(mkdtemp(files));
	builder_file("davit.yaml", yaml);
	world_open();
	artifact_ops = *world.artifacts.ops;
	artifact_ops.import = import;
	artifact_ops.path = path;
	world.artifacts.ops = &artifact_ops;
	world.builds = &world_builder.builds;
	world_kill();
	world_start();
	return 0;
}

int builder_teardown(void **state)
{
	char whole[128];
	(void)state;
	world_assert_sane();
	world_close();
	world.builds = NULL;
	snprintf(whole, sizeof whole, "%s/release.tar", files);
	unlink(whole);
	snprintf(whole, sizeof whole, "%s/davit.yaml", files);
	unlink(whole);
	return rmdir(files);
}

/* --- short ways */

uint32_t order_commit(char digit, const char *ref, const char *environments)
{
	char commit[] = "0123456789012345678901234567890123456789";
	struct control_caller caller = {.who = "ann"};
	const struct build_order order = {.app = "shop",
					  .repository = "/srv/shop.git",
					  .commit = commit,
					  .ref = ref,
					  .target = environments ? BUILD_TARGET_NAMED
								 : BUILD_TARGET_TRIGGERED,
					  .environments = environments};
	uint32_t number = 0;
	commit[0] = digit;
	if (control_build(world.control, &caller, &order, &number, &world.err) < 0)
		fail_msg("refused: %s", world.err.text);
	return number;
}

uint32_t order_ref(const char *ref, const char *environments)
{
	return order_commit('0', ref, environments);
}

const struct store_build *build_row(uint32_t number)
{
	static struct store_build b;
	if (store_build_get(world.store, number, &b, &world.err) < 0)
		fail_msg("no build %u", number);
	return &b;
}
