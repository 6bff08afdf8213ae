/* SPDX-License-Identifier: Apache-2.0
 * gate - see gate.h for the contract. */
#include "control/gate.h"

#include <stdio.h>

#include "base/text.h"

static enum gate_answer ask_people(const struct gate_rules *rules, const struct gate_facts *facts,
				   char *sentence, size_t size)
{
	uint32_t missing = rules->count - facts->yes;
	uint64_t waited = facts->now_unix_ms > facts->asked_unix_ms
				  ? facts->now_unix_ms - facts->asked_unix_ms
				  : 0;
	char time[32];
	if (waited >= rules->expires_ms) {
		snprintf(sentence, size, "nobody approved it within %s",
			 text_format_duration(rules->expires_ms, time, sizeof time));
		return GATE_SHUT;
	}
	snprintf(sentence, size, "it needs the approval of %s%u person%s%s%s",
		 facts->yes > 0 ? "another " : "", missing, missing == 1 ? "" : "s",
		 rules->by[0] ? " of " : "", rules->by);
	return GATE_WAITS;
}

enum gate_answer gate_decide(const struct gate_rules *rules, const struct gate_facts *facts,
			     char *sentence, size_t size)
{
	char time[32];
	if (facts->no_by) {
		snprintf(sentence, size, "rejected by %s%s%s", facts->no_by,
			 facts->no_reason[0] ? ": " : "", facts->no_reason);
		return GATE_SHUT;
	}
	if (facts->emergency >= GATE_EMERGENCY_PERSONS) {
		snprintf(sentence, size, "%u persons declared an emergency", facts->emergency);
		return GATE_OPEN;
	}
	if (rules->from && !facts->good_there) {
		snprintf(sentence, size, "it is not good in %s any more", rules->from);
		return GATE_SHUT;
	}
	if (facts->yes < rules->count)
		return ask_people(rules, facts, sentence, size);
	if (rules->from && facts->soaked_ms < rules->soak_ms) {
		uint64_t left_ms = rules->soak_ms - facts->soaked_ms;
		snprintf(sentence, size, "it has to stay good in %s for another %s", rules->from,
			 text_format_duration((left_ms + 999) / 1000 * 1000, time, sizeof time));
		return GATE_WAITS;
	}
	if (facts->opens_in_ms > 0) {
		snprintf(sentence, size, "the window for releases opens in %s",
			 text_format_duration((facts->opens_in_ms + 999) / 1000 * 1000, time,
					      sizeof time));
		return GATE_WAITS;
	}
	if (rules->count > 0)
		snprintf(sentence, size, "approved by %u person%s", facts->yes,
			 facts->yes == 1 ? "" : "s");
	else
		snprintf(sentence, size, "nothing stands in its way any more");
	return GATE_OPEN;
}
