/* SPDX-License-Identifier: Apache-2.0
 * schedule_view - see schedule_view.h for the contract. */
#include "cli/schedule_view.h"

#include <string.h>

void schedule_view_put(const struct cli *cli, struct buf *to, const json_t *schedule)
{
	char when[32];
	uint64_t next = json_number_of(schedule, "next_unix_ms"),
		 build = json_number_of(schedule, "build");
	screen_put(cli, to, TONE_PLAIN, "%s at %s (%s)", json_text_of(schedule, "branch"),
		   json_text_of(schedule, "times"), json_text_of(schedule, "zone"));
	if (strcmp(json_text_of(schedule, "state"), "due") == 0)
		screen_put(cli, to, TONE_BUSY,
			   ", since %s it waits for a look at the repository (davit webhook)",
			   screen_time(next, when));
	else if (next > 0)
		screen_put(cli, to, TONE_PLAIN, ", next %s", screen_time(next, when));
	if (build > 0)
		screen_put(cli, to, TONE_FAINT, "; build %llu was the last",
			   (unsigned long long)build);
	if (json_text_of(schedule, "why")[0]) {
		buf_puts(to, ". ");
		screen_put_foreign(to, json_text_of(schedule, "why"));
	}
}
