/* SPDX-License-Identifier: Apache-2.0
 * way_back_view - see way_back_view.h for the contract. */
#include "cli/way_back_view.h"

#include <string.h>

#include "cli/screen.h"

void way_back_draw(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *step;
	size_t i;
	json_array_foreach (json_object_get(rollout, "way_back"), i, step) {
		const char *state = json_text_of(step, "state");
		uint64_t at = json_number_of(step, "at_unix_ms"),
			 took = json_number_of(step, "took_ms");
		enum screen_tone tone = strcmp(state, "waiting") == 0 ? TONE_FAINT : TONE_PLAIN;
		char when[32] = "", duration[32] = "";
		if (at > 0)
			screen_time(at, when);
		if (took > 0)
			screen_duration(took, duration);
		screen_put(cli, to, screen_tone(state), "  %s ", screen_glyph(cli, state));
		screen_put(cli, to, tone, "%zu %-11s  %-8s  %-7s  ", i + 1,
			   json_text_of(step, "step"), when, duration);
		screen_put_foreign(to, json_text_of(step, "text"));
		buf_puts(to, "\n");
	}
}
