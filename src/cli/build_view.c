/* SPDX-License-Identifier: Apache-2.0
 * build_view - see build_view.h for the contract. */
#include "cli/build_view.h"

#include <stdio.h>
#include <string.h>

#include "cli/screen.h"

void build_print(struct buf *page)
{
	fwrite(buf_text(page), 1, page->size, stdout);
	fflush(stdout);
	buf_done(page);
}

/* "passed" is green as a passed step is, and so is what is taken from a build in which it passed. */
static const char *look_of(const char *state)
{
	return strcmp(state, "passed") == 0 || strcmp(state, "taken") == 0 ? "pass" : state;
}

void build_put_state(const struct cli *cli, struct buf *to, const char *state)
{
	screen_put(cli, to, screen_tone(look_of(state)), "%s %-9s",
		   screen_glyph(cli, look_of(state)), state);
}

static void put_findings(struct buf *to, const json_t *findings)
{
	if (!findings)
		return;
	buf_printf(to, "  findings: %llu new, %llu existing, %llu fixed",
		   (unsigned long long)json_number_of(findings, "new"),
		   (unsigned long long)json_number_of(findings, "existing"),
		   (unsigned long long)json_number_of(findings, "fixed"));
	if (json_number_of(findings, "waived") > 0)
		buf_printf(to, ", %llu waived",
			   (unsigned long long)json_number_of(findings, "waived"));
	if (json_text_of(findings, "since")[0]) {
		buf_puts(to, " since ");
		screen_put_foreign(to, json_text_of(findings, "since"));
	}
}

void build_put_stage(const struct cli *cli, struct buf *to, const json_t *stage, unsigned width)
{
	const char *state = json_text_of(stage, "state");
	const json_t *tests = json_object_get(stage, "tests");
	bool over = strcmp(state, "passed") == 0 || strcmp(state, "failed") == 0;
	char took[32] = "";
	if (over)
		screen_duration(json_number_of(stage, "took_ms"), took);
	build_put_state(cli, to, state);
	buf_printf(to, "  %-*s  %6s", (int)width, json_text_of(stage, "stage"), took);
	if (tests)
		buf_printf(to, "  %llu of %llu tests passed",
			   (unsigned long long)(json_number_of(tests, "tests") -
						json_number_of(tests, "failed") -
						json_number_of(tests, "skipped")),
			   (unsigned long long)json_number_of(tests, "tests"));
	put_findings(to, json_object_get(stage, "findings"));
	if (json_number_of(stage, "from_build") > 0)
		buf_printf(to, "  from build %llu",
			   (unsigned long long)json_number_of(stage, "from_build"));
	else if (json_number_of(stage, "attempt") > 1)
		buf_printf(to, "  attempt %llu",
			   (unsigned long long)json_number_of(stage, "attempt"));
	if (json_text_of(stage, "why")[0]) {
		buf_puts(to, "  ");
		screen_put_foreign(to, json_text_of(stage, "why"));
		if (strcmp(state, "skipped") == 0 &&
		    strcmp(json_text_of(stage, "why"), "left out") != 0)
			buf_puts(to, " failed");
	}
	while (to->size > 0 && to->data[to->size - 1] == ' ')
		to->data[--to->size] = '\0';
	buf_puts(to, "\n");
}

unsigned build_width(const json_t *build)
{
	const json_t *stage;
	size_t i, width = 0;
	json_array_foreach (json_object_get(build, "stages"), i, stage) {
		size_t size = strlen(json_text_of(stage, "stage"));
		width = size > width ? size : width;
	}
	return (unsigned)width;
}

void build_put_rollouts(const struct cli *cli, struct buf *to, const json_t *build)
{
	const json_t *rollout;
	size_t i;
	json_array_foreach (json_object_get(build, "rollouts"), i, rollout) {
		const char *environment = json_text_of(rollout, "environment");
		if (json_number_of(rollout, "rollout") > 0)
			screen_put(cli, to, TONE_PLAIN,
				   "%s %s %s: rollout %llu. Next: davit watch %s\n",
				   json_text_of(build, "tag"), screen_arrow(cli), environment,
				   (unsigned long long)json_number_of(rollout, "rollout"),
				   environment);
		else
			screen_put(cli, to, TONE_PLAIN, "%s does not go to %s: %s\n",
				   json_text_of(build, "tag"), environment,
				   json_text_of(rollout, "why"));
	}
}
