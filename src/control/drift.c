/* SPDX-License-Identifier: Apache-2.0
 * drift - see drift.h for the contract. */
#include "control/drift.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

const char *drift_state_name(enum drift_state state)
{
	static const char *const names[] = {
#define X(name, text) text,
		DRIFT_STATES(X)
#undef X
	};
	ASSERT(state < DRIFT_STATE_COUNT);
	return names[state];
}

enum drift_state drift_decide(const struct drift_facts *f)
{
	if (!f->of[0])
		return DRIFT_NONE;
	if (f->live[0] && strcmp(f->live, f->tip) == 0)
		return DRIFT_CURRENT;
	if (!f->live[0] || !f->tip[0] || !f->counted)
		return DRIFT_UNKNOWN;
	if (f->behind == 0)
		return DRIFT_AHEAD;
	return f->rolled_back ? DRIFT_ROLLED_BACK
	       : f->bad       ? DRIFT_QUARANTINED
	       : f->ahead > 0 ? DRIFT_APART
			      : DRIFT_BEHIND;
}

/* --- in words */

static void add(char to[DRIFT_SENTENCE_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(char to[DRIFT_SENTENCE_SIZE], const char *format, ...)
{
	size_t used = strlen(to);
	va_list args;
	va_start(args, format);
	vsnprintf(to + used, DRIFT_SENTENCE_SIZE - used, format, args);
	va_end(args);
}

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static void add_position(const struct drift_facts *f, enum drift_state state,
			 char to[DRIFT_SENTENCE_SIZE])
{
	if (state == DRIFT_ROLLED_BACK)
		add(to, "rolled back, ");
	if (f->behind == 0)
		add(to, "%u commit%s ahead of %s", f->ahead, plural(f->ahead), f->of);
	else if (f->ahead > 0)
		add(to, "%u commit%s of its own, %u behind %s", f->ahead, plural(f->ahead),
		    f->behind, f->of);
	else
		add(to, "%u commit%s behind %s", f->behind, plural(f->behind), f->of);
	if (f->subject[0])
		add(to, " (newest: %.100s)", f->subject);
	if (f->bad)
		add(to, ", whose release is marked bad here%s%.100s", f->bad[0] ? ": " : "",
		    f->bad);
}

static void add_rollout(const struct drift_way *w, char to[DRIFT_SENTENCE_SIZE])
{
	static const struct {
		const char *state, *words;
	} all[] = {
		{"queued", "waits for its turn"}, {"gated", "waits"},
		{"running", "is on its way"},     {"paused", "is held"},
		{"reverting", "is taken back"},   {"stuck", "needs a person"},
		{"succeeded", "had brought it"},  {"reverted", "was taken back"},
		{"rejected", "was refused"},      {"superseded", "gave its place to a newer one"},
		{"cancelled", "was withdrawn"}};
	size_t i = 0;
	while (i + 1 < sizeof all / sizeof all[0] && strcmp(all[i].state, w->rollout_state) != 0)
		i++;
	add(to, ": rollout %u %s", w->rollout, all[i].words);
	if (w->rollout_why[0])
		add(to, ": %.150s", w->rollout_why);
}

/* True: it went no further. */
static bool add_build(const struct drift_way *w, char to[DRIFT_SENTENCE_SIZE])
{
	if (w->build == 0)
		add(to, ": no build of it was ordered (davit webhook)");
	else if (strcmp(w->build_state, "passed") == 0)
		return false;
	else if (strcmp(w->build_state, "failed") == 0)
		add(to, ": build %u failed%s%.150s", w->build, w->build_why[0] ? ": " : "",
		    w->build_why);
	else if (strcmp(w->build_state, "cancelled") == 0)
		add(to, ": build %u was cancelled", w->build);
	else if (strcmp(w->build_state, "superseded") == 0)
		add(to, ": build %u gave its place to a newer one", w->build);
	else if (strcmp(w->build_state, "queued") == 0)
		add(to, ": build %u waits for its turn", w->build);
	else
		add(to, ": build %u is under way", w->build);
	return true;
}

static void add_way(const struct drift_way *w, char to[DRIFT_SENTENCE_SIZE])
{
	if (w->rollout > 0)
		add_rollout(w, to);
	else if (w->deployed || add_build(w, to))
		return;
	else if (w->rollout_why[0])
		add(to, ": build %u passed, and nothing went out: %.150s", w->build,
		    w->rollout_why);
	else
		add(to, ": build %u passed, and does not go here", w->build);
}

void drift_sentence(const struct drift_facts *f, char to[DRIFT_SENTENCE_SIZE])
{
	enum drift_state state = drift_decide(f);
	to[0] = '\0';
	if (state == DRIFT_NONE || state == DRIFT_CURRENT)
		return;
	if (state == DRIFT_UNKNOWN) {
		add(to, "nobody knows how it stands to %s: %s", f->of,
		    !f->live[0]     ? "what is live was not built here"
		    : f->trouble[0] ? f->trouble
				    : "git is being asked");
		return;
	}
	add_position(f, state, to);
	add_way(&f->way, to);
	if (f->way.frozen_by && !f->way.rollout_why[0])
		add(to, "; frozen by %s", f->way.frozen_by);
}
