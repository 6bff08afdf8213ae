/* SPDX-License-Identifier: Apache-2.0
 * gate_view - see gate_view.h for the contract. */
#include "cli/gate_view.h"

#include <string.h>

#include "cli/rollout_view.h"
#include "cli/screen.h"

/* --- what is to be answered for */

static void put_release(const struct cli *cli, struct buf *to, const char *what,
			const json_t *release)
{
	if (!json_text_of(release, "release")[0])
		return;
	screen_put(cli, to, TONE_PLAIN, "  %-10s %s", what, json_text_of(release, "tag"));
	screen_put(cli, to, TONE_FAINT, "  %.12s\n", json_text_of(release, "release"));
}

static void put_answers(const struct cli *cli, struct buf *to, const json_t *gate)
{
	const json_t *answer;
	size_t i;
	json_array_foreach (json_object_get(gate, "answers"), i, answer) {
		char when[32];
		screen_put(cli, to, TONE_PLAIN, "  %-10s %s", json_text_of(answer, "verdict"),
			   json_text_of(answer, "person"));
		screen_put(cli, to, TONE_FAINT, "  %s",
			   screen_time(json_number_of(answer, "at_unix_ms"), when));
		if (json_text_of(answer, "reason")[0]) {
			buf_puts(to, "  ");
			screen_put_foreign(to, json_text_of(answer, "reason"));
		}
		buf_puts(to, "\n");
	}
}

static void put_findings(const struct cli *cli, struct buf *to, const json_t *findings)
{
	if (!findings)
		return;
	screen_put(cli, to, TONE_PLAIN,
		   "  findings   %llu new, %llu existing, %llu fixed, %llu waived",
		   (unsigned long long)json_number_of(findings, "new"),
		   (unsigned long long)json_number_of(findings, "existing"),
		   (unsigned long long)json_number_of(findings, "fixed"),
		   (unsigned long long)json_number_of(findings, "waived"));
	if (json_object_get(findings, "build"))
		screen_put(cli, to, TONE_FAINT, "  build %llu",
			   (unsigned long long)json_number_of(findings, "build"));
	else
		screen_put(cli, to, TONE_FAINT, "  checks");
	if (json_text_of(findings, "since")[0]) {
		buf_puts(to, ", compared with ");
		screen_put_foreign(to, json_text_of(findings, "since"));
	}
	buf_puts(to, "\n");
}

static void put_more(const struct cli *cli, struct buf *to, const json_t *of, const char *what)
{
	uint64_t more = json_number_of(of, "more");
	if (more > 0)
		screen_put(cli, to, TONE_FAINT, "             and %llu more%s\n",
			   (unsigned long long)more, what);
}

static void put_commits(const struct cli *cli, struct buf *to, const json_t *commits)
{
	const json_t *list = json_object_get(commits, "list"), *commit;
	const char *state = json_text_of(commits, "state");
	uint64_t count = json_array_size(list) + json_number_of(commits, "more");
	size_t i;
	if (strcmp(state, "known") == 0)
		screen_put(cli, to, TONE_PLAIN,
			   "  commits    %llu that the live release has not%s\n",
			   (unsigned long long)count,
			   json_is_true(json_object_get(commits, "cut"))
				   ? ", and more than davit reads"
				   : "");
	else if (strcmp(state, "wanted") == 0)
		screen_put(
			cli, to, TONE_BUSY,
			"  commits    git is still asked which are new; look again in a moment\n");
	else {
		screen_put(cli, to, TONE_PLAIN, "  commits    which are new is not known: ");
		screen_put_foreign(to, json_text_of(commits, "why"));
		buf_puts(to, "\n");
	}
	json_array_foreach (list, i, commit) {
		screen_put(cli, to, TONE_PLAIN, "    %.12s  ", json_text_of(commit, "commit"));
		screen_put_foreign(to, json_text_of(commit, "subject"));
		buf_puts(to, "  ");
		screen_put_foreign(to, json_text_of(commit, "author"));
		buf_puts(to, "\n");
	}
	put_more(cli, to, commits, ", older");
}

static void put_tests(const struct cli *cli, struct buf *to, const json_t *tests)
{
	uint64_t build = json_number_of(tests, "build"), failed = json_number_of(tests, "failed"),
		 skipped = json_number_of(tests, "skipped"), run = json_number_of(tests, "run");
	if (build == 0)
		screen_put(cli, to, TONE_PLAIN,
			   "  tests      not known: the release was not built here\n");
	else if (json_number_of(tests, "stages") == 0)
		screen_put(cli, to, TONE_PLAIN, "  tests      no stage of build %llu reports any\n",
			   (unsigned long long)build);
	else
		screen_put(
			cli, to, failed > 0 ? TONE_BAD : TONE_PLAIN,
			"  tests      %llu passed, %llu failed, %llu skipped, build %llu\n",
			(unsigned long long)(run > failed + skipped ? run - failed - skipped : 0),
			(unsigned long long)failed, (unsigned long long)skipped,
			(unsigned long long)build);
}

static void put_value(struct buf *to, const json_t *change, const char *which)
{
	const char *value = json_text_of(change, which);
	if (!value[0])
		buf_puts(to, "(not there)");
	else if (json_is_true(json_object_get(change, "hidden")))
		buf_puts(to, "(not shown)");
	else
		screen_put_foreign(to, value);
}

static void put_config(const struct cli *cli, struct buf *to, const json_t *config)
{
	const json_t *list = json_object_get(config, "changes"), *change;
	uint64_t count = json_array_size(list) + json_number_of(config, "more");
	size_t i;
	if (!json_is_true(json_object_get(config, "compared"))) {
		screen_put(cli, to, TONE_PLAIN, "  config     nothing live to compare it with\n");
		return;
	}
	screen_put(cli, to, TONE_PLAIN, "  config     %llu key%s differ%s from what is live\n",
		   (unsigned long long)count, count == 1 ? "" : "s", count == 1 ? "s" : "");
	json_array_foreach (list, i, change) {
		buf_puts(to, "    ");
		screen_put_foreign(to, json_text_of(change, "key"));
		buf_puts(to, "  ");
		put_value(to, change, "from");
		buf_printf(to, " %s ", screen_arrow(cli));
		put_value(to, change, "to");
		buf_puts(to, "\n");
	}
	put_more(cli, to, config, "");
}

static void put_before(const struct cli *cli, struct buf *to, const json_t *gate)
{
	const json_t *checks = json_object_get(gate, "checks");
	const char *from = json_text_of(gate, "from"), *verdict = json_text_of(checks, "verdict");
	char a[32], b[32];
	if (!from[0])
		return;
	screen_put(cli, to, TONE_PLAIN, "  soaked     %s in %s",
		   screen_duration(json_number_of(gate, "soaked_ms"), a), from);
	if (json_number_of(gate, "soak_ms") > 0)
		screen_put(cli, to, TONE_FAINT, ", of %s",
			   screen_duration(json_number_of(gate, "soak_ms"), b));
	buf_puts(to, "\n");
	if (json_number_of(checks, "steps") == 0) {
		screen_put(cli, to, TONE_BUSY, "  checks     none was made in %s\n", from);
		return;
	}
	screen_put(cli, to, screen_tone(verdict), "  checks     %s in %s",
		   verdict[0] ? verdict : "not known", from);
	screen_put(cli, to, TONE_FAINT, "  rollout %llu, %s\n",
		   (unsigned long long)json_number_of(checks, "rollout"),
		   screen_time(json_number_of(checks, "at_unix_ms"), a));
	if (json_text_of(checks, "text")[0]) {
		buf_puts(to, "    ");
		screen_put_foreign(to, json_text_of(checks, "text"));
		buf_puts(to, "\n");
	}
}

void gate_draw_bad_commits(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *bad = json_object_get(json_object_get(rollout, "gate"), "bad_commits"), *row;
	size_t i;
	json_array_foreach (json_object_get(bad, "list"), i, row) {
		screen_put(cli, to, TONE_BAD, "  contains   ");
		screen_put_foreign(to, json_text_of(row, "text"));
		buf_puts(to, "; was it reverted or mended since?\n");
	}
	put_more(cli, to, bad, " such commits");
}

void gate_draw_brought(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *gate = json_object_get(rollout, "gate");
	if (!json_is_object(gate))
		return;
	put_commits(cli, to, json_object_get(gate, "commits"));
	gate_draw_bad_commits(cli, rollout, to);
	put_tests(cli, to, json_object_get(gate, "tests"));
	put_findings(cli, to, json_object_get(gate, "findings"));
	put_config(cli, to, json_object_get(gate, "config"));
	put_before(cli, to, gate);
}

void gate_draw(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *gate = json_object_get(rollout, "gate"), *step;
	size_t i;
	screen_put(cli, to, TONE_PLAIN, "%s -> %s  %s  rollout %llu\n",
		   json_text_of(rollout, "app"), json_text_of(rollout, "environment"),
		   json_text_of(rollout, "strategy"),
		   (unsigned long long)json_number_of(rollout, "number"));
	put_release(cli, to, "new", json_object_get(rollout, "new"));
	put_release(cli, to, "live", json_object_get(rollout, "old"));
	screen_put(cli, to, TONE_PLAIN, "  asked by   %s", json_text_of(rollout, "by"));
	if (json_text_of(rollout, "reason")[0]) {
		buf_puts(to, ": ");
		screen_put_foreign(to, json_text_of(rollout, "reason"));
	}
	buf_puts(to, "\n");
	gate_draw_brought(cli, rollout, to);
	json_array_foreach (json_object_get(rollout, "steps"), i, step)
		screen_put(cli, to, TONE_FAINT, "  %2zu  %-6s %s\n", i + 1,
			   json_text_of(step, "label"), json_text_of(step, "text"));
	rollout_draw_infrastructure(cli, rollout, to);
	put_answers(cli, to, gate);
	screen_put(cli, to, TONE_BUSY, "  waits      %s\n", json_text_of(gate, "text"));
}
