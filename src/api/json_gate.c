/* SPDX-License-Identifier: Apache-2.0
 * json_gate - see json.h: what a rollout waits for, its tag, its way back, and whether an environment is
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

static json_t *json_of_tests(const struct view_tests *t)
{
	json_t *o = json_object();
	put_number(o, "build", t->build);
	put_number(o, "stages", t->stages);
	put_number(o, "run", t->run);
	put_number(o, "failed", t->failed);
	put_number(o, "skipped", t->skipped);
	return o;
}

static json_t *json_of_commits(const struct view_commits *c)
{
	json_t *o = json_object(), *list = json_array();
	for (uint32_t i = 0; i < c->count; i++) {
		const struct view_commit *from = &c->items[i];
		json_t *commit = json_object();
		json_object_set_new(commit, "commit", json_string(from->id));
		json_object_set_new(commit, "author", json_string(from->author));
		json_object_set_new(commit, "subject", json_string(from->subject));
		json_object_set_new(commit, "merge", json_boolean(from->merge));
		put_number(commit, "committed_unix_s", from->committed_unix_s);
		json_array_append_new(list, commit);
	}
	json_object_set_new(o, "state", json_string(c->state));
	json_object_set_new(o, "why", json_string(c->why));
	json_object_set_new(o, "list", list);
	put_number(o, "more", c->more);
	json_object_set_new(o, "cut", json_boolean(c->cut));
	return o;
}

static json_t *json_of_changes(const struct view_changes *c)
{
	json_t *o = json_object(), *list = json_array();
	for (uint32_t i = 0; i < c->count; i++) {
		const struct view_change *from = &c->items[i];
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "key", from->key,
						      "hidden", (int)from->hidden, "from",
						      from->from, "to", from->to));
	}
	json_object_set_new(o, "compared", json_boolean(c->compared));
	json_object_set_new(o, "changes", list);
	put_number(o, "more", c->more);
	return o;
}

static json_t *json_of_checks(const struct view_checks *c)
{
	if (c->rollout == 0)
		return json_null();
	json_t *o = json_object();
	put_number(o, "rollout", c->rollout);
	put_number(o, "steps", c->steps);
	json_object_set_new(o, "verdict", json_string(c->verdict));
	json_object_set_new(o, "text", json_string(c->text));
	put_number(o, "at_unix_ms", c->at_unix_ms);
	return o;
}

static json_t *json_of_bad_commits(const struct view_bad_commits *b)
{
	json_t *o = json_object(), *list = json_array();
	for (uint32_t i = 0; i < b->count; i++) {
		const struct view_bad_commit *from = &b->items[i];
		json_t *commit = json_object();
		json_object_set_new(commit, "commit", json_string(from->commit));
		json_object_set_new(commit, "environment", json_string(from->environment));
		put_number(commit, "rollout", from->rollout);
		json_object_set_new(commit, "marked", json_boolean(from->marked));
		json_object_set_new(commit, "text", json_string(from->text));
		json_array_append_new(list, commit);
	}
	json_object_set_new(o, "list", list);
	put_number(o, "more", b->more);
	return o;
}

static void put_brought(json_t *o, const struct view_brought *b)
{
	json_object_set_new(o, "tests", json_of_tests(&b->tests));
	json_object_set_new(o, "commits", json_of_commits(&b->commits));
	json_object_set_new(o, "bad_commits", json_of_bad_commits(&b->bad_commits));
	json_object_set_new(o, "config", json_of_changes(&b->changes));
	json_object_set_new(o, "checks", json_of_checks(&b->checks));
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
	put_brought(o, &g->brought);
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

json_t *json_of_way_back(const struct view_way_back *w)
{
	if (!w->known)
		return json_null();
	json_t *list = json_array();
	for (uint32_t i = 0; i < VIEW_WAY_STEPS; i++) {
		const struct view_way_step *from = &w->steps[i];
		json_t *step = json_object();
		json_object_set_new(step, "step", json_string(from->name));
		json_object_set_new(step, "state", json_string(from->state));
		put_number(step, "at_unix_ms", from->at_unix_ms);
		put_number(step, "took_ms", from->took_ms);
		json_object_set_new(step, "text", json_string(from->text));
		json_array_append_new(list, step);
	}
	return list;
}
