/* SPDX-License-Identifier: Apache-2.0
 * diffs - davit diffs ENV|ROLLOUT: where a shadow's answers differ from the live release's. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 18, PLACE_COLUMNS = 32 };

/* "37 of 500 7.4%" */
static const char *counted(const json_t *o, char to[80])
{
	char a[32], b[32], share[32];
	uint64_t differ = json_number_of(o, "differ"), pairs = json_number_of(o, "pairs");
	if (pairs == 0)
		snprintf(to, 80, "not measured");
	else
		snprintf(to, 80, "%s of %s %s", screen_count(differ, a), screen_count(pairs, b),
			 screen_share(differ, pairs, share));
	return to;
}

static void put_value(struct buf *to, const json_t *example, const char *key)
{
	const char *text = json_text_of(example, key);
	if (text[0])
		screen_put_foreign(to, text);
	else
		buf_puts(to, "(none)");
}

static void put_example(const struct cli *cli, struct buf *to, const json_t *example)
{
	screen_put(cli, to, TONE_FAINT, "      ");
	screen_put_foreign(to, json_text_of(example, "method"));
	buf_puts(to, " ");
	screen_put_foreign(to, json_text_of(example, "path"));
	buf_puts(to, ": live ");
	put_value(to, example, "live");
	buf_puts(to, json_is_true(json_object_get(example, "noise")) ? ", live again " : ", new ");
	put_value(to, example, "new");
	buf_puts(to, "\n");
}

static void put_place(const struct cli *cli, struct buf *to, const json_t *place)
{
	char a[80], b[80];
	bool beyond = json_is_true(json_object_get(place, "beyond_noise"));
	const char *state = beyond ? "fail" : "waiting";
	const char *name = json_text_of(place, "place");
	screen_put(cli, to, screen_tone(state), "  %s ", screen_glyph(cli, state));
	screen_put_foreign(to, name);
	unsigned columns = screen_columns(name, strlen(name));
	buf_printf(to, "%*s %-8s new %-24s noise %s\n",
		   (int)(columns < PLACE_COLUMNS ? PLACE_COLUMNS - columns : 0), "",
		   json_text_of(place, "kind"), counted(json_object_get(place, "new"), a),
		   counted(json_object_get(place, "noise"), b));
	put_example(cli, to, json_object_get(place, "example"));
}

static void put_places(const struct cli *cli, struct buf *to, const json_t *o)
{
	const json_t *places = json_object_get(o, "places");
	uint64_t beyond = json_number_of(o, "beyond_noise");
	uint64_t more = json_number_of(json_object_get(o, "looked_into"), "more");
	bool noise = json_number_of(json_object_get(o, "looked_into"), "noise") > 0;
	size_t i;
	json_t *place;
	if (json_array_size(places) == 0)
		buf_puts(to, "No place differs in the pairs that were looked into.\n");
	else if (!noise)
		buf_puts(to, "No noise was measured: nobody knows what of this the live release "
			     "does by itself.\n");
	else
		buf_printf(to, "%llu of %zu places differ%s more than noise does.\n",
			   (unsigned long long)beyond, json_array_size(places),
			   beyond == 1 ? "s" : "");
	json_array_foreach (places, i, place)
		put_place(cli, to, place);
	if (more > 0)
		buf_printf(to,
			   "  %llu pairs differ in further places, for which there was no room.\n",
			   (unsigned long long)more);
}

static const char *milliseconds(uint64_t us, char to[32])
{
	snprintf(to, 32, us < 10000 ? "%.1f" : "%.0f", (double)us / 1000);
	return to;
}

static void put_latency(struct buf *to, const json_t *latency, uint64_t pairs)
{
	char a[32], b[32], c[32], d[32], share[32];
	if (pairs == 0)
		return;
	buf_printf(to,
		   "Latency of the same requests: p50 live %s ms, new %s ms; p99 live %s ms, new "
		   "%s ms; the new release was slower in %s.\n",
		   milliseconds(json_number_of(latency, "live_p50_us"), a),
		   milliseconds(json_number_of(latency, "new_p50_us"), b),
		   milliseconds(json_number_of(latency, "live_p99_us"), c),
		   milliseconds(json_number_of(latency, "new_p99_us"), d),
		   screen_share(json_number_of(latency, "slower"), pairs, share));
}

static void put_all(const struct cli *cli, struct buf *to, const json_t *o)
{
	const json_t *copies = json_object_get(o, "copies"),
		     *looked = json_object_get(o, "looked_into");
	uint64_t pairs = json_number_of(copies, "pairs"), differ = json_number_of(copies, "differ");
	char a[32], b[32], share[32];
	buf_printf(
		to,
		"Rollout %llu: %s answers to copies compared, %s not the same to the byte (%s).\n",
		(unsigned long long)json_number_of(o, "rollout"), screen_count(pairs, a),
		screen_count(differ, b), screen_share(differ, pairs, share));
	buf_printf(to, "Copies: %llu sent, %llu failed, %llu without a whole pair, %llu dropped.\n",
		   (unsigned long long)json_number_of(copies, "sent"),
		   (unsigned long long)json_number_of(copies, "failed"),
		   (unsigned long long)json_number_of(copies, "unpaired"),
		   (unsigned long long)json_number_of(copies, "dropped"));
	buf_printf(to, "Looked into: %s pairs, %s of noise.\n",
		   screen_count(json_number_of(looked, "pairs"), a),
		   screen_count(json_number_of(looked, "noise"), b));
	put_places(cli, to, o);
	put_latency(to, json_object_get(o, "latency"), json_number_of(looked, "pairs"));
}

int verb_diffs(struct cli *cli)
{
	char path[640];
	json_t *answer;
	struct buf text;
	client_path("/v1/rollouts/", cli_arg(cli, 0), "/diffs", path, sizeof path);
	int code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	put_all(cli, &text, answer);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}
