/* SPDX-License-Identifier: Apache-2.0
 * judge_verb - see judge_verb.h for the contract. */
#include "daemon/judge_verb.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/client.h"
#include "daemon/replay_show.h"
#include "provider/ticks.h"

enum { POINTS_SIZE = 16 };

static const double POINTS_MOST = 100;

struct run {
	struct cli cli;
	struct replay_changes changes;
	bool all;
	struct show show;
	struct replay *replay;
	uint64_t lines;
	int status; /* below 0: `err` */
	struct error err;
};

/* --- options */

/* Shares within least and most, both as shares that people write. Not given: as it was. */
static int take_share(const struct cli *cli, const char *name, const char *least, const char *most,
		      double *to, struct error *err)
{
	const char *text = cli_option(cli, name);
	uint32_t bp, least_bp, most_bp;
	if (!text)
		return 0;
	ASSERT(text_parse_share(least, &least_bp) && text_parse_share(most, &most_bp));
	if (!text_parse_share(text, &bp) || bp < least_bp || bp > most_bp)
		return error_set(err, ERR_INVALID, "--%s takes a share from %s to %s, not \"%s\".",
				 name, least, most, text);
	*to = (double)bp / SHARE_FULL_BP;
	return 0;
}

static int take_points(const struct cli *cli, double *to, struct error *err)
{
	const char *text = cli_option(cli, "or-points");
	if (!text)
		return 0;
	char *end;
	double points = strtod(text, &end);
	bool plain = text[0] && strspn(text, "0123456789.") == strlen(text) && *end == '\0';
	if (!plain || strlen(text) >= POINTS_SIZE || points > POINTS_MOST)
		return error_set(err, ERR_INVALID,
				 "--or-points takes percentage points from 0 to 100, such as 0.02, "
				 "not \"%s\".",
				 text);
	*to = points / POINTS_MOST;
	return 0;
}

static int take_every(const struct cli *cli, uint64_t *to, struct error *err)
{
	const char *text = cli_option(cli, "every");
	if (text && !text_parse_duration(text, to))
		return error_set(err, ERR_INVALID,
				 "--every takes a duration such as 1s or 250ms, not \"%s\".", text);
	return 0;
}

static int take_options(struct run *run)
{
	const struct cli *cli = &run->cli;
	struct replay_changes *c = &run->changes;
	struct error *err = &run->err;
	run->all = cli_option(cli, "all") != NULL;
	if (!cli_option(cli, "replay") == !cli_option(cli, "rollout"))
		return error_set(err, ERR_INVALID,
				 "davit judge needs either --replay FILE or --rollout ROLLOUT.");
	int result = take_share(cli, "alpha", "0.01%", "50%", &c->alpha, err);
	if (result == 0)
		result = take_share(cli, "beta", "0.01%", "50%", &c->beta, err);
	if (result == 0)
		result = take_share(cli, "worse-by", "0%", "100%", &c->worse_by, err);
	if (result == 0)
		result = take_points(cli, &c->or_points, err);
	if (result == 0)
		result = take_share(cli, "pass-below", "0%", "99.99%", &c->pass_below, err);
	return result < 0 ? result : take_every(cli, &run->show.every_ms, err);
}

/* --- lines */

/* False: there is nothing more to say, or the line is wrong. */
static bool take_line(struct run *run, const char *line, size_t size)
{
	run->lines++;
	run->status = replay_line(run->replay, line, size, &run->err);
	if (run->status < 0)
		return false;
	show_line(&run->show, run->replay);
	return run->all || !run->replay->failed;
}

/* Its length; -1 at the end of the file, -2 where it is longer than a line may be. */
static long read_line(FILE *file, char *to, size_t size)
{
	size_t length = 0;
	int c;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (length == size)
			return -2;
		to[length++] = (char)c;
	}
	return c == EOF && length == 0 ? -1 : (long)length;
}

static void replay_stream(struct run *run, FILE *file, const char *name)
{
	char *line = mem_new(TICKS_LINE_MAX);
	long size;
	errno = 0;
	while ((size = read_line(file, line, TICKS_LINE_MAX)) >= 0 &&
	       take_line(run, line, (size_t)size))
		;
	if (size == -2) {
		run->lines++;
		run->status = error_set(&run->err, ERR_INVALID,
					"This line is longer than the %d bytes that one may have.",
					TICKS_LINE_MAX);
	}
	if (ferror(file))
		run->status = error_errno(&run->err, errno, "Reading \"%s\" failed", name);
	else if (run->status < 0)
		error_where(&run->err, "%s:%llu", name, (unsigned long long)run->lines);
	free(line);
}

static void replay_file(struct run *run, const char *name)
{
	if (strcmp(name, "-") == 0) {
		replay_stream(run, stdin, "standard input");
		return;
	}
	FILE *file = fopen(name, "re");
	if (!file) {
		run->status = error_errno(&run->err, errno, "Opening \"%s\" failed", name);
		return;
	}
	replay_stream(run, file, name);
	fclose(file);
}

static bool on_line(void *context, const char *line)
{
	return take_line(context, line, strlen(line));
}

/* Returns an exit code; every one but CLI_OK has been explained. */
static int replay_rollout(struct run *run, const char *rollout)
{
	struct client *client;
	struct error err;
	char path[512];
	if (client_open(&run->cli, &client, &err) < 0)
		return cli_fail(&run->cli, &err, "davit up");
	client_path("/v1/rollouts/", rollout, "/ticks", path, sizeof path);
	int code = CLI_OK;
	if (client_stream(client, path, on_line, run, &err) < 0)
		code = cli_fail(&run->cli, &err, client_next(client));
	client_free(client);
	if (run->status < 0)
		error_where(&run->err, "rollout %s, line %llu", rollout,
			    (unsigned long long)run->lines);
	return code;
}

static int replay(struct run *run)
{
	const char *file = cli_option(&run->cli, "replay");
	int code = CLI_OK;
	if (file)
		replay_file(run, file);
	else
		code = replay_rollout(run, cli_option(&run->cli, "rollout"));
	if (code != CLI_OK)
		return code;
	if (run->status == 0 && !run->replay->reader.begun)
		run->status = error_set(&run->err, ERR_INVALID,
					"There is not a single line of ticks in it.");
	fflush(stdout);
	return run->status < 0 ? cli_fail(&run->cli, &run->err, "davit judge --help")
			       : show_end(&run->show, run->replay);
}

int judge_verb(int argc, char **argv)
{
	struct run run = {.changes = replay_as_it_was};
	signal(SIGPIPE, SIG_DFL);
	int code = cli_parse(argv[0], argc, argv, &run.cli);
	if (code != CLI_OK)
		return code;
	run.show.cli = &run.cli;
	if (take_options(&run) < 0)
		return cli_fail(&run.cli, &run.err, "davit judge --help");
	run.replay = mem_zero(1, sizeof *run.replay);
	replay_begin(run.replay, &run.changes);
	code = replay(&run);
	free(run.replay);
	return code;
}
