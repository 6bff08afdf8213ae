/* SPDX-License-Identifier: Apache-2.0
 * build_receive - davit receive: what the post-receive hook runs. Its input is a line for each ref that was pushed,
 *                 "OLD NEW REF"; what it writes the pusher sees.
 *
 * The push stands, whatever comes of the build. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/builds.h"
#include "cli/config_file.h"
#include "config/trigger.h"
#include "daemon/build_order.h"
#include "drivers/builder/checkout.h"
#include "os/file.h"

enum { REFS_MAX = 1000, LINE_SIZE = 1024, NAMES_SIZE = 1024 };

struct push {
	struct cli cli;
	struct client *client;
	const char *app; /* whose repository it is; NULL: whoever's davit.yaml says so */
	char repository[PATH_MAX];
	char scratch[PATH_MAX + 32];
};

static int order(struct push *p, const struct app *app, const char *commit, const char *ref)
{
	json_t *body = json_object();
	json_object_set_new(body, "app", json_string(app->name));
	json_object_set_new(body, "repository", json_string(p->repository));
	json_object_set_new(body, "commit", json_string(commit));
	json_object_set_new(body, "ref", json_string(ref));
	json_object_set_new(body, "triggered", json_true());
	json_object_set_new(body, "once", json_true()); /* the server looks at its refs as well */
	return build_ordered(&p->cli, p->client, "/v1/builds", body, true);
}

/* The server learns of the times now, and not only when it looks the next time. */
static void tell_times(struct push *p, const struct app *app, const char *shown, const char *names)
{
	char path[128];
	json_t *answer = NULL;
	struct error ignored;
	printf("%s goes to %s at the times of its schedule. Next: davit builds\n", shown, names);
	fflush(stdout);
	snprintf(path, sizeof path, "/v1/sources/%s/look", app->name);
	if (client_post(p->client, path, NULL, &answer, &ignored) == 0)
		json_decref(answer);
}

/* What is kept, and goes nowhere by itself. */
static void tell_kept(const char *ref, const char *shown)
{
	printf("%s is kept; no environment of its davit.yaml has a trigger for it, such as: "
	       "trigger: { %s: %s }\n",
	       shown, text_starts(ref, "refs/tags/") ? "tag" : "branch", shown);
}

static void take_file(struct push *p, const struct app *app, const char *commit, const char *ref,
		      const char *shown)
{
	char names[NAMES_SIZE];
	bool timed = trigger_timed_environments(app, ref, names, sizeof names);
	if (timed)
		tell_times(p, app, shown, names);
	if (trigger_environments(app, ref, names, sizeof names)) {
		printf("%s goes to %s when it passes.\n", shown, names);
		fflush(stdout);
		order(p, app, commit, ref);
	} else if (!timed) {
		tell_kept(ref, shown);
	}
}

static void take_commit(struct push *p, const char *commit, const char *ref, const char *shown)
{
	struct checkout *c = mem_zero(1, sizeof *c);
	struct app *app = NULL;
	struct buf config;
	struct error err;
	buf_init(&config, CONFIG_FILE_MAX);
	if (checkout_at(p->repository, commit, p->scratch, NULL, c, &err) < 0 ||
	    checkout_file(c, "davit.yaml", &config, &err) < 0) {
		printf("%s is not built: %s\n", shown, err.text);
	} else if (config_file_load(&p->cli, &config, "davit.yaml", &app) == CLI_OK) {
		if (p->app && strcmp(p->app, app->name) != 0) {
			printf("%s is not built: this is the repository of %s, and its davit.yaml "
			       "that of %s.\n",
			       shown, p->app, app->name);
		} else {
			take_file(p, app, c->commit, ref, shown);
		}
	} else {
		printf("%s is not built, for its davit.yaml is wrong.\n", shown);
	}
	fflush(stdout);
	config_free(app);
	buf_done(&config);
	free(c);
}

/* A tag object stands for its commit: git says which. */
static bool is_deleted(const char *id)
{
	return strspn(id, "0") == strlen(id);
}

static void take_line(struct push *p, char *line)
{
	char shown[4 * LINE_SIZE], *rest = line;
	const char *old = strsep(&rest, " "), *new = strsep(&rest, " "), *ref = rest;
	bool branch = ref && text_starts(ref, "refs/heads/");
	bool tag = ref && text_starts(ref, "refs/tags/");
	(void)old;
	if (!new || !ref || is_deleted(new) || !(branch || tag))
		return;
	const char *name = ref + (branch ? sizeof "refs/heads/" : sizeof "refs/tags/") - 1;
	text_escape(name, strlen(name), shown, sizeof shown);
	if (!checkout_is_name(name)) {
		printf("%s is not built: its name has other characters than letters, digits and . "
		       "_ / -\n",
		       shown);
		return;
	}
	take_commit(p, new, ref, shown);
}

/* Of one that is longer than any name that is built. */
static void skip_line(void)
{
	int c;
	while ((c = getchar()) != EOF && c != '\n')
		;
	printf("A name of more than %d characters is kept, and not built.\n", LINE_SIZE);
}

static void left_out(const char *line)
{
	char shown[4 * LINE_SIZE];
	const char *ref = strrchr(line, ' ');
	printf("%s is kept, and not built: it came after %d others.\n",
	       text_escape(ref ? ref + 1 : line, strlen(ref ? ref + 1 : line), shown, sizeof shown),
	       REFS_MAX);
}

static int open_push(struct push *p, struct error *err)
{
	if (!getcwd(p->repository, sizeof p->repository))
		return error_errno(err, errno, "This directory cannot be read");
	if (access("objects", F_OK) != 0)
		return error_set(err, ERR_INVALID,
				 "davit receive is run by the hook of a repository.");
	p->app = cli_option(&p->cli, "app");
	snprintf(p->scratch, sizeof p->scratch, "%s/davit-%d", p->repository, (int)getpid());
	return client_open(&p->cli, &p->client, err);
}

int receive_verb(int argc, char **argv)
{
	struct push *p = mem_zero(1, sizeof *p);
	char line[LINE_SIZE];
	struct error err, ignored;
	int code = cli_parse(argv[0], argc, argv, &p->cli);
	if (code == CLI_OK && open_push(p, &err) < 0)
		code = cli_fail(&p->cli, &err, "davit up, and then: davit build --to ENV");
	for (int i = 0; code == CLI_OK && fgets(line, sizeof line, stdin); i++) {
		bool whole = strchr(line, '\n') != NULL;
		line[strcspn(line, "\n")] = '\0';
		if (i >= REFS_MAX)
			left_out(line);
		else if (whole)
			take_line(p, line);
		else
			skip_line();
	}
	if (p->scratch[0])
		(void)!file_remove_tree(AT_FDCWD, p->scratch, &ignored);
	client_free(p->client);
	free(p);
	return code;
}
