/* SPDX-License-Identifier: Apache-2.0
 * status - davit status [ENV] [-w]: what is live where, since when, by whom, what moves, what is ready to go
 *          back to. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/schedule_view.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 256 * 1024, REFRESH_MS = 500 };

static void put_release(const struct cli *cli, struct buf *to, const char *what,
			const json_t *release)
{
	char when[32];
	if (!json_is_object(release))
		return;
	screen_put(cli, to, TONE_PLAIN, "    %-10s %-12s %5g%%", what, json_text_of(release, "tag"),
		   (double)json_number_of(release, "weight_bp") / 100);
	if (json_number_of(release, "since_unix_ms") > 0)
		screen_put(cli, to, TONE_FAINT, "  since %s by %s",
			   screen_time(json_number_of(release, "since_unix_ms"), when),
			   json_text_of(release, "by"));
	if (strcmp(what, "warm") == 0)
		screen_put(cli, to, TONE_FAINT, "  ready to go back to for %s",
			   screen_duration(json_number_of(release, "left_ms"), when));
	buf_puts(to, "\n");
}

static void put_instance(const struct cli *cli, struct buf *to, const json_t *i)
{
	const char *state = json_text_of(i, "state");
	char name[64];
	snprintf(name, sizeof name, "%s.%llu", json_text_of(i, "process"),
		 (unsigned long long)json_number_of(i, "slot"));
	screen_put(cli, to, screen_tone(state), "      %s %-10s", screen_glyph(cli, state), state);
	screen_put(cli, to, TONE_PLAIN, " %-12s %-10s %-21s", name, json_text_of(i, "tag"),
		   json_text_of(i, "address"));
	if (json_number_of(i, "restarts") > 0)
		screen_put(cli, to, TONE_BAD, " restarted %llu times",
			   (unsigned long long)json_number_of(i, "restarts"));
	buf_puts(to, " ");
	screen_put_foreign(to, json_text_of(i, "probe"));
	buf_puts(to, "\n");
}

static void put_freeze(const struct cli *cli, struct buf *to, const json_t *freeze)
{
	char when[32];
	if (!json_is_object(freeze))
		return;
	screen_put(cli, to, TONE_BUSY, "    frozen     by %s", json_text_of(freeze, "by"));
	if (json_number_of(freeze, "until_unix_ms") > 0)
		screen_put(cli, to, TONE_BUSY, " until %s",
			   screen_time(json_number_of(freeze, "until_unix_ms"), when));
	if (json_text_of(freeze, "reason")[0]) {
		buf_puts(to, ": ");
		screen_put_foreign(to, json_text_of(freeze, "reason"));
	}
	buf_puts(to, "\n");
}

/* Only of the environment that was asked for: it does not change while one looks. */
static void put_roles(const struct cli *cli, struct buf *to, const json_t *may)
{
	const char *role;
	const json_t *names, *name;
	size_t i;
	if (!cli_arg(cli, 0) || !json_is_object(may))
		return;
	json_object_foreach((json_t *)may, role, names)
	{
		screen_put(cli, to, TONE_FAINT, "    may %-9s ", role);
		json_array_foreach (names, i, name) {
			buf_puts(to, i > 0 ? ", " : "");
			screen_put_foreign(to, json_string_value(name));
		}
		buf_puts(to, "\n");
	}
}

/* Where what is live is what git says, there is nothing to say. */
static void put_drift(const struct cli *cli, struct buf *to, const json_t *drift)
{
	const char *state = json_text_of(drift, "state");
	if (!state[0] || strcmp(state, "current") == 0)
		return;
	screen_put(cli, to, strcmp(state, "unknown") == 0 ? TONE_FAINT : TONE_BUSY,
		   "    drift      ");
	screen_put_foreign(to, json_text_of(drift, "text"));
	buf_puts(to, "\n");
}

static void put_certificate(const struct cli *cli, struct buf *to, const json_t *certificate)
{
	const char *state = json_text_of(certificate, "state");
	if (!state[0] || strcmp(state, "good") == 0)
		return;
	screen_put(cli, to, strcmp(state, "ordered") == 0 ? TONE_BUSY : TONE_BAD,
		   "    tls        ");
	screen_put_foreign(to, json_text_of(certificate, "text"));
	buf_puts(to, "\n");
}

static void put_environment(const struct cli *cli, struct buf *to, const json_t *e)
{
	const char *state = json_text_of(e, "state");
	const json_t *rollout = json_object_get(e, "rollout"),
		     *instances = json_object_get(e, "instances"), *row;
	size_t i;
	screen_put(cli, to, TONE_PLAIN, "  %-10s ", json_text_of(e, "name"));
	screen_put(cli, to, screen_tone(state), "%s %-11s", screen_glyph(cli, state), state);
	screen_put(cli, to, TONE_FAINT, " %s\n", json_text_of(e, "listen"));
	put_release(cli, to, "live", json_object_get(e, "live"));
	put_release(cli, to, "candidate", json_object_get(e, "candidate"));
	put_release(cli, to, "warm", json_object_get(e, "warm"));
	if (json_is_object(rollout))
		screen_put(cli, to, TONE_BUSY,
			   "    rollout %llu %s, step %llu of %llu   (davit watch %s)\n",
			   (unsigned long long)json_number_of(rollout, "number"),
			   json_text_of(rollout, "state"),
			   (unsigned long long)json_number_of(rollout, "step") + 1,
			   (unsigned long long)json_number_of(rollout, "steps"),
			   json_text_of(e, "name"));
	if (json_is_true(json_object_get(e, "read_only")))
		screen_put(cli, to, TONE_BUSY,
			   "    read-only  what may change something is answered 503\n");
	put_freeze(cli, to, json_object_get(e, "freeze"));
	json_array_foreach (json_object_get(e, "schedules"), i, row) {
		buf_puts(to, "    schedule   ");
		schedule_view_put(cli, to, row);
		buf_puts(to, "\n");
	}
	put_drift(cli, to, json_object_get(e, "drift"));
	put_roles(cli, to, json_object_get(e, "may"));
	put_certificate(cli, to, json_object_get(e, "certificate"));
	if (json_text_of(e, "trouble")[0]) {
		screen_put(cli, to, TONE_BAD, "    trouble    ");
		screen_put_foreign(to, json_text_of(e, "trouble"));
		buf_puts(to, "\n");
	}
	json_array_foreach (instances, i, row)
		if (strcmp(json_text_of(row, "state"), "exited") != 0)
			put_instance(cli, to, row);
}

static void put_status(const struct cli *cli, struct buf *to, const json_t *status)
{
	const json_t *applications = json_object_get(status, "applications"), *app, *e;
	size_t i, k;
	if (json_array_size(applications) == 0)
		buf_puts(to, "Nothing was deployed here yet. Next: davit deploy ENV PATH\n");
	json_array_foreach (applications, i, app) {
		screen_put(cli, to, TONE_PLAIN, "%s\n", json_text_of(app, "app"));
		json_array_foreach (json_object_get(app, "environments"), k, e)
			put_environment(cli, to, e);
	}
}

static int show(struct cli *cli, struct client *client, bool frame)
{
	struct error err;
	struct buf text;
	char path[512];
	json_t *status;
	if (cli_arg(cli, 0))
		client_path("/v1/status?environment=", cli_arg(cli, 0), "", path, sizeof path);
	else
		snprintf(path, sizeof path, "/v1/status");
	if (client_get(client, path, &status, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	buf_init(&text, TEXT_MAX);
	if (cli->json) {
		json_dumpf(status, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
	} else {
		put_status(cli, &text, status);
		if (frame)
			screen_frame(&text);
		else
			fputs(buf_text(&text), stdout);
	}
	buf_done(&text);
	json_decref(status);
	return CLI_OK;
}

int verb_status(struct cli *cli)
{
	struct client *client;
	struct error err;
	bool watch = cli_option(cli, "watch") != NULL,
	     frames = watch && cli->terminal && !cli->json;
	struct timespec pause = {0, REFRESH_MS * 1000000L};
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	if (frames)
		screen_open();
	int code = show(cli, client, frames);
	while (watch && code == CLI_OK) {
		nanosleep(&pause, NULL);
		code = show(cli, client, frames);
	}
	if (frames)
		screen_close();
	client_free(client);
	return code;
}
