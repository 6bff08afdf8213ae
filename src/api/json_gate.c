/* SPDX-License-Identifier: Apache-2.0
 * json_gate - see json.h: what a rollout waits for, its tag, and whether an environment is
 * frozen. */
#include "api/json.h"

static void put_number(json_t *o, const char *key, uint64_t number)
{
	json_object_set_new(o, key, json_integer((json_int_t)number));
}

static json_t *json_of_findings(const struct view_findings *f)
{
	json_t *o = json_object();
	if (f->build > 0)
		put_number(o, "build", f->build);
	put_number(o, "new", f->fresh);
	put_number(o, "existing", f->known);
	put_number(o, "fixed", f->fixed);
	put_number(o, "waived", f->waived);
	json_object_set_new(o, "since", json_string(f->since));
	return o;
}

json_t *json_of_gate(const struct view_gate *g)
{
	if (!g->waits)
		return json_null();
	json_t *o = json_object(), *answers = json_array();
	json_object_set_new(o, "hash", json_string(g->hash));
	json_object_set_new(o, "text", json_string(g->text));
	json_object_set_new(o, "by", json_string(g->by));
	json_object_set_new(o, "not_author", json_boolean(g->not_author));
	put_number(o, "needed", g->needed);
	put_number(o, "given", g->given);
	put_number(o, "expires_unix_ms", g->expires_unix_ms);
	json_object_set_new(o, "from", json_string(g->from));
	put_number(o, "soak_ms", g->soak_ms);
	put_number(o, "soaked_ms", g->soaked_ms);
	put_number(o, "opens_in_ms", g->opens_in_ms);
	for (uint32_t i = 0; i < g->answer_count; i++) {
		json_t *answer = json_object();
		json_object_set_new(answer, "person", json_string(g->answers[i].person));
		json_object_set_new(answer, "verdict", json_string(g->answers[i].verdict));
		json_object_set_new(answer, "reason", json_string(g->answers[i].reason));
		put_number(answer, "at_unix_ms", g->answers[i].at_unix_ms);
		json_array_append_new(answers, answer);
	}
	json_object_set_new(o, "answers", answers);
	if (g->findings.scanned)
		json_object_set_new(o, "findings", json_of_findings(&g->findings));
	return o;
}

json_t *json_of_infrastructure(const struct view_infrastructure *i)
{
	return i->planned ? json_pack("{s:b, s:s, s:s}", "changes", (int)i->changes, "digest",
				      i->digest, "summary", i->summary)
			  : json_null();
}

json_t *json_of_git_tag(const struct view_git_tag *t)
{
	if (!t->state[0])
		return json_null();
	json_t *o =
		json_pack("{s:s, s:s, s:s}", "name", t->name, "state", t->state, "text", t->text);
	json_object_set_new(o, "push",
			    t->push_state[0]
				    ? json_pack("{s:s, s:s, s:s, s:I}", "state", t->push_state,
						"to", t->push_to, "text", t->push_text, "tries",
						(json_int_t)t->push_tries)
				    : json_null());
	return o;
}

json_t *json_of_drift(const struct view_drift *d)
{
	if (d->state == DRIFT_NONE)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "state", json_string(drift_state_name(d->state)));
	json_object_set_new(o, "of", json_string(d->of));
	json_object_set_new(o, "live", json_string(d->live));
	json_object_set_new(o, "tip", json_string(d->tip));
	if (d->counted) {
		put_number(o, "behind", d->behind);
		put_number(o, "ahead", d->ahead);
	}
	json_object_set_new(o, "subject", json_string(d->subject));
	json_object_set_new(o, "text", json_string(d->text));
	return o;
}

json_t *json_of_freeze(const struct view_freeze *f)
{
	if (!f->on)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "reason", json_string(f->reason));
	json_object_set_new(o, "by", json_string(f->by));
	put_number(o, "since_unix_ms", f->since_unix_ms);
	put_number(o, "until_unix_ms", f->until_unix_ms);
	return o;
}
