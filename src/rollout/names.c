/* SPDX-License-Identifier: Apache-2.0
 * names - words and sentences for the enumerations of event.h; see there and rollout.h. */
#include "base/err.h"
#include "rollout/rollout.h"

const char *rollout_status_name(enum rollout_status status)
{
	static const char *const names[] = {
#define X(name, text) text,
		ROLLOUT_STATUSES(X)
#undef X
	};
	ASSERT(status < ROLLOUT_STATUS_COUNT);
	return names[status];
}

const char *rollout_reason_name(enum rollout_reason reason)
{
	static const char *const names[] = {
#define X(name, text) #name,
		ROLLOUT_REASONS(X)
#undef X
	};
	ASSERT(reason < REASON_COUNT);
	return names[reason];
}

const char *rollout_reason_text(enum rollout_reason reason)
{
	static const char *const texts[] = {
#define X(name, text) text,
		ROLLOUT_REASONS(X)
#undef X
	};
	ASSERT(reason < REASON_COUNT);
	return texts[reason];
}

const char *rollout_event_name(enum rollout_event_kind kind)
{
	static const char *const names[] = {
#define X(name, text) text,
		ROLLOUT_EVENTS(X)
#undef X
	};
	ASSERT(kind < EVENT_COUNT);
	return names[kind];
}

const char *rollout_effect_name(enum rollout_effect_kind kind)
{
	static const char *const names[] = {
#define X(name, text) text,
		ROLLOUT_EFFECTS(X)
#undef X
	};
	ASSERT(kind < EFFECT_COUNT);
	return names[kind];
}

const char *rollout_answer_text(enum rollout_answer answer)
{
	static const char *const texts[] = {
#define X(name, text) text,
		ROLLOUT_ANSWERS(X)
#undef X
	};
	ASSERT(answer < ANSWER_COUNT);
	return texts[answer];
}
