/* SPDX-License-Identifier: Apache-2.0
 * oracle - what must hold, computed again from the simulator's own records.
 *
 * Nothing here calls the core. Each check names the invariant it stands for; a failing seed prints it. */
#include <string.h>

#include "sim.h"

static uint8_t slot_of(const struct environment_state *env, const struct release_id *id)
{
	static const uint8_t nobody[RELEASE_ID_SIZE];
	if (memcmp(id->bytes, nobody, sizeof nobody) == 0)
		return SLOT_NONE;
	for (uint8_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		if (memcmp(env->sets[i].document.release.bytes, id->bytes, RELEASE_ID_SIZE) == 0)
			return i;
	return SLOT_NONE;
}

static int order(struct version a, struct version b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static bool forward(const struct job *job)
{
	return job->there && !job->plan.reverts && job->r.status >= ROLLOUT_RUNNING &&
	       job->r.status <= ROLLOUT_STUCK;
}

static bool going_back(const struct job *job)
{
	return job->there && job->plan.reverts;
}

static bool has_traffic(const struct sim *s, uint32_t p)
{
	return s->settings.process[p].traffic && s->settings.process[p].count > 0;
}

static uint32_t weight_of(const struct store *store, const struct release_id *id)
{
	uint8_t slot = slot_of(&store->env, id);
	return slot == SLOT_NONE ? 0 : store->env.router.weight_bp[slot];
}

/* What was last seen of a slot; zero when that was another release. */
static uint32_t known_ready(const struct sim *s, const struct environment_state *env, uint8_t slot,
			    uint32_t p)
{
	const struct set_observation *look = &s->oracle.know.sets[slot];
	if (memcmp(look->release.bytes, env->sets[slot].document.release.bytes, RELEASE_ID_SIZE) !=
	    0)
		return 0;
	return look->ready[p];
}

static bool known_serving(const struct sim *s, const struct environment_state *env, uint8_t slot)
{
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		if (has_traffic(s, p) && known_ready(s, env, slot, p) == 0)
			return false;
	return true;
}

/* How often each of the two lost the strength that its document asks for, by what was seen. */
static void watch_falls(struct sim *s, const struct store *before)
{
	struct oracle *o = &s->oracle;
	const struct rollout *r = &before->active.r;
	uint8_t slots[2] = {slot_of(&before->env, &r->release), before->env.stable};

	if (!forward(&before->active) || r->marked || before->active.plan.urgent)
		return;
	for (uint32_t i = 0; i < 2; i++) {
		bool strong = true;
		if (i == 0 && !r->ready_once)
			o->stood[i] = false;
		if (slots[i] == SLOT_NONE || (i == 0 && !r->ready_once))
			continue;
		const struct set_document *wish = &before->env.sets[slots[i]].document;
		if (order(o->know.sets[slots[i]].applied, wish->version) < 0)
			continue;
		for (uint32_t p = 0; p < SIM_PROCESSES; p++)
			strong = strong &&
				 known_ready(s, &before->env, slots[i], p) >= wish->count[p];
		o->falls[i] += o->stood[i] && !strong;
		o->stood[i] = strong;
	}
}

void oracle_delivered(struct sim *s, const struct store *before, const struct rollout_event *event)
{
	struct oracle *o = &s->oracle;
	const struct rollout *r = &before->active.r;
	uint64_t elapsed_ms =
		event->elapsed_ms < SIM_TICK_CAP_MS ? event->elapsed_ms : SIM_TICK_CAP_MS;

	if (event->kind == EVENT_LEASE_WON || event->kind == EVENT_BOOT) {
		o->know_serial = 0; /* what was seen before counts for nothing */
		memset(&o->know, 0, sizeof o->know);
	}
	if (before->env.standby)
		return;
	switch (event->kind) {
	case EVENT_OBSERVATION:
		o->fresh = event->observation.serial > o->know_serial;
		if (o->fresh) {
			o->know = event->observation;
			o->know_serial = event->observation.serial;
			watch_falls(s, before);
		}
		break;
	case EVENT_EVIDENCE:
		if (event->guard || !before->active.there || event->step != r->cursor ||
		    event->attempt != r->attempt)
			break; /* an answer to a question that nobody asks any more */
		if (event->verdict == VERDICT_PASS) {
			o->pass_number = r->number;
			o->pass_step = event->step;
			o->pass_attempt = event->attempt;
		}
		o->pass_there = event->verdict == VERDICT_PASS;
		break;
	case EVENT_TICK:
		if (before->active.there &&
		    (r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_REVERTING)) {
			o->held_ms += elapsed_ms;
			o->waited_ms += elapsed_ms;
		}
		break;
	case EVENT_PROMOTE:
	case EVENT_APPROVE:
		if (before->active.there && event->seen.status == r->status &&
		    event->seen.cursor == r->cursor && event->seen.attempt == r->attempt) {
			o->skip_there = true;
			o->skip_number = r->number;
			o->skip_step = r->cursor;
		}
		break;
	case EVENT_FREEZE: o->frozen = true; break;
	case EVENT_UNFREEZE: o->frozen = false; break;
	default: break;
	}
}

/* I-1 */
static void check_shares(struct sim *s, const struct store *after)
{
	uint32_t sum = 0;
	bool traffic = false;
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		sum += after->env.router.weight_bp[i];
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		traffic = traffic || has_traffic(s, p);
	bool nothing_live = after->env.stable == SLOT_NONE || !traffic;
	if (sum != 10000 && !(sum == 0 && nothing_live))
		sim_fail(s, "I-1: shares sum to %u", sum);
}

/* I-25: a document changes with its version, and versions only rise. */
static void check_versions(struct sim *s, const struct store *before, const struct store *after,
			   const struct rollout_event *event)
{
	const struct environment_state *a = &before->env, *b = &after->env;
	bool boot = event->kind == EVENT_BOOT || event->kind == EVENT_LEASE_WON;
	struct traffic_document x = a->router, y = b->router;
	struct version newest = s->oracle.newest;

	if (boot ? b->epoch <= a->epoch : b->epoch != a->epoch)
		sim_fail(s, "I-27: epoch %llu -> %llu", (unsigned long long)a->epoch,
			 (unsigned long long)b->epoch);
	if (order(y.version, x.version) < 0)
		sim_fail(s, "I-25: the router document's version falls");
	if (order(y.version, x.version) == 0 &&
	    (memcmp(x.weight_bp, y.weight_bp, sizeof x.weight_bp) != 0 || x.park != y.park ||
	     x.mirror_bp != y.mirror_bp || x.mirror != y.mirror || x.preview != y.preview ||
	     x.access != y.access))
		sim_fail(s, "I-25: the router document changes under one version");
	if (order(y.version, x.version) > 0 && order(y.version, s->oracle.newest) <= 0)
		sim_fail(s, "I-25: a version is used twice");
	if (order(y.version, newest) > 0)
		newest = y.version;
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++) {
		const struct set_document *p = &a->sets[i].document, *q = &b->sets[i].document;
		if (memcmp(p->release.bytes, q->release.bytes, RELEASE_ID_SIZE) != 0)
			continue;
		if (order(q->version, p->version) == 0 &&
		    (memcmp(p->count, q->count, sizeof p->count) != 0 || p->surplus != q->surplus ||
		     p->standing != q->standing))
			sim_fail(s, "I-25: a set document changes under one version");
		if (order(q->version, p->version) < 0)
			sim_fail(s, "I-25: a set document's version falls");
		if (order(q->version, p->version) > 0 && order(q->version, s->oracle.newest) <= 0)
			sim_fail(s, "I-25: a set version is used twice");
		if (boot && q->version.n > 0 && q->version.epoch != b->epoch)
			sim_fail(s, "I-27: a document keeps its old epoch after a boot");
		if (order(q->version, newest) > 0)
			newest = q->version;
	}
	s->oracle.newest = newest;
}

/* I-9 I-10 I-12: each evidence row has its cause, for exactly this step and attempt. */
static void check_evidence(struct sim *s, const struct store *before,
			   const struct rollout_effects *fx)
{
	struct oracle *o = &s->oracle;
	const struct rollout *r = &before->active.r;

	for (uint32_t i = 0; i < fx->count; i++) {
		const struct rollout_effect *e = &fx->items[i];
		if (e->kind != EFFECT_EVIDENCE)
			continue;
		const struct plan_step *step = &before->active.plan.steps[e->step];
		bool skip = e->evidence == EVIDENCE_SKIP;
		bool mine = o->skip_there && o->skip_number == r->number && o->skip_step == e->step;
		if (e->step != r->cursor || e->attempt != r->attempt)
			sim_fail(s, "I-9: evidence for another step or attempt");
		if (step->op == PLAN_GATE && !mine)
			sim_fail(s, "I-9: a gate opens without approval");
		if (step->op == PLAN_HOOK && (!skip || !mine))
			sim_fail(s, "I-9: a command is left undone and nobody said so");
		if (step->op == PLAN_HOLD && skip && !mine)
			sim_fail(s, "I-9: a hold is skipped and nobody said so");
		if (step->op == PLAN_HOLD && !skip && o->held_ms < step->for_ms)
			sim_fail(s, "I-12: a hold of %llu ms ends after %llu",
				 (unsigned long long)step->for_ms, (unsigned long long)o->held_ms);
		if (e->evidence == EVIDENCE_TIME && step->analyses != 0)
			sim_fail(s, "I-10: time alone passes a hold that asks for a verdict");
		if (e->evidence == EVIDENCE_VERDICT &&
		    (!o->pass_there || o->pass_number != r->number || o->pass_step != e->step ||
		     o->pass_attempt != e->attempt))
			sim_fail(s, "I-9: a hold passes without a verdict for this attempt");
		if (e->evidence == EVIDENCE_TOO_LITTLE &&
		    (step->too_little != TOO_LITTLE_CONTINUE || o->waited_ms < step->at_most_ms))
			sim_fail(s, "I-10: a hold goes on without a verdict");
		o->evidence[e->step] = true;
	}
}

/* I-2: the candidate's share stays below what the evidence allows. */
static void check_cap(struct sim *s, const struct store *before, const struct store *after)
{
	const struct plan *plan = &after->active.plan;
	const struct release_id *candidate = &plan->releases[PLAN_CANDIDATE].id;
	uint32_t cap = 0, share = weight_of(after, candidate), mirror_cap = 0;

	if (going_back(&after->active) && rollout_active(&after->active.r) &&
	    share > weight_of(before, candidate))
		sim_fail(s, "I-2: the share of a release that is going back rises");
	if (!forward(&after->active))
		return;
	for (uint32_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];
		if (step->op == PLAN_ROUTE) {
			if (step->weight_bp[PLAN_CANDIDATE] > cap)
				cap = step->weight_bp[PLAN_CANDIDATE];
			if (step->mirror_bp > mirror_cap)
				mirror_cap = step->mirror_bp;
		}
		bool needs = step->op == PLAN_HOLD || step->op == PLAN_GATE;
		if (needs && !s->oracle.evidence[i])
			break;
	}
	if (share > cap)
		sim_fail(s, "I-2: the candidate has %u bp, evidence allows %u", share, cap);
	if (after->env.router.mirror_bp > mirror_cap)
		sim_fail(s, "I-2: more is mirrored than the evidence allows");
}

/* I-3: no more requests towards a release that cannot answer while another can. */
static void check_rise(struct sim *s, const struct store *before, const struct store *after)
{
	bool somebody = false;

	if (after->env.router.park)
		return;
	for (uint8_t slot = 0; before->env.router.park && slot < ENVIRONMENT_SETS_MAX; slot++)
		if (after->env.router.weight_bp[slot] > 0 && !known_serving(s, &after->env, slot))
			sim_fail(s, "I-4: requests that waited are let go to nobody");
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		somebody = somebody || known_serving(s, &after->env, slot);
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		const struct release_id *id = &after->env.sets[slot].document.release;
		uint32_t old = before->env.router.park ? 0 : weight_of(before, id);
		if (slot_of(&after->env, id) == slot && weight_of(after, id) > old && somebody &&
		    !known_serving(s, &after->env, slot))
			sim_fail(s, "I-3: requests move to a release with no ready instance");
	}
}

static bool counts_reached(const uint16_t have[PROCESSES_MAX], const uint16_t want[PROCESSES_MAX])
{
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		if (have[p] < want[p])
			return false;
	return true;
}

/* I-26: what the step asked for was applied, and seen, in the observation that ended it. */
static bool proved(const struct sim *s, const struct store *before, const struct plan_step *step,
		   const struct rollout_event *event)
{
	const struct environment_state *env = &before->env;
	const struct observation *o = &event->observation;
	uint8_t slot = step->release < PLAN_RELEASES_MAX
			       ? slot_of(env, &before->active.plan.releases[step->release].id)
			       : SLOT_NONE;
	bool applied = slot == SLOT_NONE ||
		       order(o->sets[slot].applied, env->sets[slot].document.version) >= 0;
	(void)s;
	switch (step->op) {
	case PLAN_START:
		return applied && counts_reached(env->sets[slot].document.count, step->count);
	case PLAN_READY: return applied && counts_reached(o->sets[slot].settled, step->count);
	case PLAN_STOP:
		return applied &&
		       (slot == SLOT_NONE || counts_reached(step->count, o->sets[slot].exist));
	case PLAN_ROUTE:
		return order(o->router.applied, env->router.version) >= 0 &&
		       memcmp(o->router.served_bp, env->router.weight_bp,
			      sizeof o->router.served_bp) == 0 &&
		       o->router.mirror_bp == env->router.mirror_bp &&
		       o->router.park == env->router.park;
	case PLAN_DRAIN: return applied;
	default: return true;
	}
}

/* A drain is over when nothing is left in it, or its time is up. */
static bool drained(const struct sim *s, const struct store *before, const struct plan_step *step,
		    const struct rollout_event *event)
{
	static const uint16_t none[PROCESSES_MAX];
	uint8_t slot = slot_of(&before->env, &before->active.plan.releases[step->release].id);
	return slot == SLOT_NONE || counts_reached(none, event->observation.sets[slot].undrained) ||
	       s->oracle.waited_ms >= before->active.plan.drain_ms;
}

static void check_cursor(struct sim *s, const struct store *before, const struct store *after,
			 const struct rollout_event *event, const struct rollout_effects *fx)
{
	const struct rollout *a = &before->active.r, *b = &after->active.r;
	struct oracle *o = &s->oracle;

	if (fx->plan_replaced || event->kind == EVENT_START ||
	    (a->status == ROLLOUT_GATED && b->status == ROLLOUT_RUNNING)) {
		if (fx->plan_replaced || event->kind == EVENT_START)
			memset(o->evidence, 0, sizeof o->evidence);
		if (event->kind == EVENT_START) {
			o->confirmed_bp = 0;
			o->confirmed_park = false;
			memset(o->stood, 0, sizeof o->stood);
			memset(o->falls, 0, sizeof o->falls);
		}
		o->held_ms = o->waited_ms = 0;
		return;
	}
	if (b->cursor == a->cursor) {
		if (a->status == ROLLOUT_PAUSED && b->status == ROLLOUT_RUNNING) {
			o->waited_ms = 0;
			if (b->attempt == a->attempt)
				sim_fail(s, "I-9: a resume begins no new attempt");
		}
		return;
	}
	const struct plan_step *step = &before->active.plan.steps[a->cursor];
	bool left = event->kind == EVENT_TICK &&
		    (step->op == PLAN_DRAIN || step->op == PLAN_STOP) &&
		    !before->active.plan.reverts && (step->release != PLAN_LIVE || a->marked);
	if (b->cursor != a->cursor + 1 && !(left && step->op == PLAN_DRAIN &&
					    b->cursor == a->cursor + 2)) /* its STOP is left too */
		sim_fail(s, "I-26: the cursor moves from %u to %u", a->cursor, b->cursor);
	if (b->attempt == a->attempt)
		sim_fail(s, "I-9: a cursor move begins no new attempt");
	if (a->status == ROLLOUT_PAUSED)
		sim_fail(s, "the cursor moves while the rollout is paused");
	if ((step->op == PLAN_HOLD || step->op == PLAN_GATE) && !o->evidence[a->cursor])
		sim_fail(s, "I-9: the cursor passes a hold without evidence");
	bool hooked = event->kind == EVENT_HOOKED && event->ok && event->attempt == a->attempt;
	if (step->op == PLAN_HOOK && !hooked && !o->evidence[a->cursor])
		sim_fail(s, "I-9: the cursor passes a command that did not succeed");
	if (step->op != PLAN_FETCH && step->op != PLAN_HOOK && !left) {
		if (event->kind != EVENT_OBSERVATION)
			sim_fail(s, "I-26: %s ends a step", rollout_event_name(event->kind));
		else if (!o->fresh)
			sim_fail(s, "I-26: an observation ends a step that is older than one "
				    "before it");
		else if (event->observation.attempt != a->attempt)
			sim_fail(s, "I-26: an observation for attempt %u ends attempt %u",
				 event->observation.attempt, a->attempt);
		else if (!proved(s, before, step, event))
			sim_fail(s, "I-26: %s ends unproved", plan_op_name(step->op));
		else if (step->op == PLAN_DRAIN && !drained(s, before, step, event))
			sim_fail(s, "I-26: a drain ends too early");
	}
	if (step->op == PLAN_ROUTE) {
		o->confirmed_bp = step->weight_bp[PLAN_CANDIDATE];
		o->confirmed_park = step->park;
	}
	o->held_ms = o->waited_ms = 0;
}

/* I-2: what the router has not confirmed when a rollout turns round does not come into force on the way back, once
 * the live release is there to take it. */
static void check_take_back(struct sim *s, const struct store *after)
{
	const struct job *job = &after->active;
	uint8_t stable = after->env.stable;
	uint32_t share = weight_of(after, &job->plan.releases[PLAN_CANDIDATE].id);

	if (!going_back(job) || !rollout_active(&job->r) || stable == SLOT_NONE ||
	    s->oracle.confirmed_park || !known_serving(s, &after->env, stable))
		return;
	if (share > s->oracle.confirmed_bp)
		sim_fail(s, "I-2: on the way back the candidate may come to %u bp from %u", share,
			 s->oracle.confirmed_bp);
}

/* I-11 */
static void check_stable(struct sim *s, const struct store *before, const struct store *after,
			 const struct rollout_effects *fx)
{
	const struct environment_state *a = &before->env, *b = &after->env;
	const struct job *job = &before->active;
	bool told = false;

	for (uint32_t i = 0; i < fx->count; i++)
		told = told || fx->items[i].kind == EFFECT_STABLE;
	if ((a->stable != b->stable) != told)
		sim_fail(s,
			 "I-11: the stable release changes without a word, or a word without that");
	if (!told)
		return;
	const struct plan *plan = &job->plan;
	const struct set_observation *look = &s->oracle.know.sets[b->stable];
	if (plan->steps[job->r.cursor].op != PLAN_MARK)
		sim_fail(s, "I-11: the stable release changes outside of MARK");
	for (uint32_t i = 0; i < job->r.cursor; i++)
		if ((plan->steps[i].op == PLAN_HOLD || plan->steps[i].op == PLAN_GATE) &&
		    !s->oracle.evidence[i])
			sim_fail(s, "I-11: MARK without the evidence of step %u", i);
	if (look->wrong > 0)
		sim_fail(s, "I-11: an instance reports another release at MARK");
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		if (look->ready[p] < s->settings.process[p].count)
			sim_fail(s, "I-11: MARK with %u instances ready", look->ready[p]);
	if (s->oracle.aborted)
		sim_fail(s, "I-13: an aborted rollout becomes stable");
}

/* I-15 */
static void check_freeze(struct sim *s, const struct store *before, const struct store *after,
			 const struct rollout_event *event)
{
	const struct job *job = &after->active;
	uint8_t slot = slot_of(&after->env, &job->plan.releases[PLAN_CANDIDATE].id);
	uint8_t old = slot_of(&before->env, &job->plan.releases[PLAN_CANDIDATE].id);

	if (!s->oracle.frozen || !job->there || job->plan.urgent || job->plan.reverts ||
	    event->kind == EVENT_UNFREEZE || slot == SLOT_NONE || old == SLOT_NONE)
		return;
	if (weight_of(after, &job->plan.releases[0].id) >
	    weight_of(before, &job->plan.releases[0].id))
		sim_fail(s, "I-15: the candidate's share rises during a freeze");
	if (after->env.router.mirror == slot && before->env.router.mirror != old)
		sim_fail(s, "I-15: mirroring begins during a freeze");
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		if (after->env.sets[slot].document.count[p] >
		    before->env.sets[old].document.count[p])
			sim_fail(s, "I-15: instances start during a freeze");
	if (after->env.stable != before->env.stable)
		sim_fail(s, "I-15: a release becomes stable during a freeze");
}

static uint32_t batch(const struct sim *s, uint32_t count)
{
	for (uint32_t i = 0; i < s->settings.move_count; i++) {
		const struct strategy_move *m = &s->settings.moves[i];
		if (m->kind == STRATEGY_MOVE_ROLLING && !m->surge)
			return (count * m->batch_bp + 9999) / 10000;
	}
	return 0;
}

static bool one_at_a_time(const struct sim *s, uint32_t p)
{
	for (uint32_t i = 0; i < s->settings.move_count; i++)
		if (s->settings.moves[i].kind == STRATEGY_MOVE_RECREATE)
			return true;
	return s->settings.process[p].handover == HANDOVER_STOP_FIRST;
}

/* I-17: ready instances leave only when enough others stay, by what was last seen. */
static void check_floor(struct sim *s, const struct store *before, const struct store *after)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		const struct set_document *a = &before->env.sets[slot].document;
		const struct set_document *b = &after->env.sets[slot].document;
		if (memcmp(a->release.bytes, b->release.bytes, RELEASE_ID_SIZE) != 0)
			continue;
		for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
			uint32_t seen = known_ready(s, &after->env, slot, p), stay = 0,
				 full = s->settings.process[p].count;
			if (b->count[p] < a->count[p] && b->surplus == SURPLUS_STOP)
				sim_fail(s, "I-19: instances are sent away without a drain");
			bool served = after->env.router.park || after->env.stable == SLOT_NONE;
			if (b->count[p] >= a->count[p] || seen <= b->count[p])
				continue;
			for (uint8_t other = 0; other < ENVIRONMENT_SETS_MAX; other++) {
				uint32_t ready = known_ready(s, &after->env, other, p);
				stay += other == slot ? b->count[p] : ready;
				served = served || (after->env.router.weight_bp[other] > 0 &&
						    (other == slot ? b->count[p] : ready) > 0);
			}
			if (has_traffic(s, p) && !served && !one_at_a_time(s, p))
				sim_fail(s, "I-17: the last ready instance is sent away");
			bool live = after->active.there && forward(&after->active) &&
				    slot_of(&after->env,
					    &after->active.plan.releases[PLAN_LIVE].id) == slot &&
				    !after->active.plan.urgent;
			uint32_t floor = full > batch(s, full) ? full - batch(s, full) : 1;
			if (live && !one_at_a_time(s, p) && stay < floor)
				sim_fail(s, "I-17: %u ready instances stay of %u", stay, full);
		}
	}
}

/* R20: exactly one notification for each change of status. */
static void check_notify(struct sim *s, const struct store *before, const struct store *after,
			 const struct rollout_effects *fx)
{
	enum rollout_status at = before->active.r.status;
	bool free = false;

	for (uint32_t i = 0; i < fx->count; i++) {
		const struct rollout_effect *e = &fx->items[i];
		free = free || e->kind == EFFECT_FREE;
		if (e->kind != EFFECT_NOTIFY)
			continue;
		if (e->from != at || e->to == e->from)
			sim_fail(s, "R20: a notification that does not follow from the last");
		at = e->to;
	}
	if (after->active.there && at != after->active.r.status)
		sim_fail(s, "R20: a change of status and no notification");
	if (before->active.there && free != (before->env.rollout != 0 && after->env.rollout == 0))
		sim_fail(s, "I-16: the environment is given up without a word");
}

/* I-13 and the rest of what an end of an attempt means. */
static void check_back(struct sim *s, const struct store *before, const struct store *after,
		       const struct rollout_event *event, const struct rollout_effects *fx)
{
	const struct job *job = &after->active;
	uint8_t stable = after->env.stable;
	bool bad = false, whole = true;

	for (uint32_t i = 0; i < fx->count; i++)
		bad = bad || fx->items[i].kind == EFFECT_BAD;
	if (event->kind == EVENT_ABORT && fx->answer == ANSWER_OK)
		s->oracle.aborted = true;
	if (event->kind == EVENT_START)
		s->oracle.aborted = false;
	if (event->kind == EVENT_ABORT && bad)
		sim_fail(s, "an abort marks a release bad");
	if (job->there && job->r.status == ROLLOUT_REVERTED && stable != SLOT_NONE)
		for (uint32_t p = 0; p < SIM_PROCESSES; p++)
			if (has_traffic(s, p) && after->env.router.weight_bp[stable] != 10000)
				sim_fail(s, "I-13: reverted, and the stable release has %u bp",
					 after->env.router.weight_bp[stable]);
	if (!fx->plan_replaced || job->r.status != ROLLOUT_REVERTING || stable == SLOT_NONE)
		return;
	for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
		const struct set_document *document = &after->env.sets[stable].document;
		whole = whole && !one_at_a_time(s, p) &&
			before->env.sets[stable].document.count[p] >=
				s->settings.process[p].count &&
			document->count[p] >= s->settings.process[p].count &&
			known_ready(s, &after->env, stable, p) >= s->settings.process[p].count;
	}
	if (whole && weight_of(after, &job->plan.releases[PLAN_CANDIDATE].id) > 0)
		sim_fail(s,
			 "I-13: the stable release is ready and the requests are not back at once");
}

/* A rollout goes back for a reason, and the reason is true. */
static void check_cause(struct sim *s, const struct store *before, const struct store *after,
			const struct rollout_event *event, const struct rollout_effects *fx)
{
	const struct rollout *a = &before->active.r;
	uint8_t slot = slot_of(&before->env, &a->release);
	bool failed = false,
	     wanted = event->kind == EVENT_EVIDENCE && event->verdict == VERDICT_FAIL;

	if (!fx->plan_replaced || event->kind == EVENT_DRIFT || event->kind == EVENT_START)
		return;
	wanted =
		wanted && (event->guard ? event->attempt >= a->guard_attempt
					: event->step == a->cursor && event->attempt == a->attempt);
	for (uint32_t p = 0; slot != SLOT_NONE && p < SIM_PROCESSES; p++)
		failed = failed || s->oracle.know.sets[slot].failed[p] > 0;
	if ((after->active.r.reason == REASON_ANALYSIS && (!wanted || event->check)) ||
	    (after->active.r.reason == REASON_CHECK && (!wanted || !event->check)))
		sim_fail(s, "a rollout goes back for a verdict that was not meant for it");
	if (after->active.r.reason == REASON_CRASHED &&
	    (!failed ||
	     order(s->oracle.know.sets[slot].applied, before->env.sets[slot].document.version) < 0))
		sim_fail(s, "a rollout goes back for an instance that did not give up under it");
	if (after->active.r.reason == REASON_UNSTEADY &&
	    (s->oracle.falls[0] < 3 || s->oracle.falls[0] <= s->oracle.falls[1]))
		sim_fail(s, "a rollout goes back for %u falls, the live release had %u",
			 s->oracle.falls[0], s->oracle.falls[1]);
	if (after->active.r.reason == REASON_NEWER && before->active.plan.urgent)
		sim_fail(s, "a rollback gives way to a newer release");
	if (after->active.r.reason == REASON_OPERATOR && event->kind != EVENT_ABORT)
		sim_fail(s, "a rollout goes back and nobody asked for it");
	if (a->marked)
		sim_fail(s, "I-13: a rollout goes back that is over");
}

/* What has to send a rollout back, or pause it. */
static void check_obeyed(struct sim *s, const struct store *before, const struct store *after,
			 const struct rollout_event *event)
{
	const struct rollout *a = &before->active.r, *b = &after->active.r;
	bool live = forward(&before->active) && !a->marked && a->status != ROLLOUT_STUCK;

	if (!live || before->env.standby)
		return;
	bool went = after->active.plan.reverts || rollout_terminal(b);
	if (event->kind == EVENT_EVIDENCE && event->verdict == VERDICT_FAIL && !went &&
	    (event->guard ? event->attempt >= a->guard_attempt && event->attempt <= a->attempt
			  : event->step == a->cursor && event->attempt == a->attempt))
		sim_fail(s, "a verdict \"fail\" has no effect");
	if (event->kind == EVENT_OBSERVATION &&
	    event->observation.serial == s->oracle.know_serial) {
		uint8_t slot = slot_of(&before->env, &a->release);
		const struct set_observation *look =
			&event->observation.sets[slot == SLOT_NONE ? 0 : slot];
		for (uint32_t p = 0; slot != SLOT_NONE && p < SIM_PROCESSES; p++)
			if (look->failed[p] > 0 && !went &&
			    order(look->applied, before->env.sets[slot].document.version) >= 0)
				sim_fail(s, "an instance gave up and the rollout goes on");
		if (s->oracle.falls[0] >= 3 && s->oracle.falls[0] > s->oracle.falls[1] && !went)
			sim_fail(s, "the candidate fell %u times and the rollout goes on",
				 s->oracle.falls[0]);
	}
	const struct plan_step *step = &before->active.plan.steps[a->cursor];
	if (event->kind == EVENT_TICK && a->status == ROLLOUT_RUNNING &&
	    b->status == ROLLOUT_RUNNING && a->cursor == b->cursor && step->op == PLAN_READY &&
	    s->oracle.waited_ms > step->deadline_ms + SIM_TICK_CAP_MS && !s->lazy_commit)
		sim_fail(s, "R3: READY waits beyond its deadline");
}

static void check_terminal(struct sim *s, const struct store *before, const struct store *after)
{
	const struct rollout *a = &before->active.r, *b = &after->active.r;

	if (before->active.there && a->status >= ROLLOUT_SUCCEEDED && memcmp(a, b, sizeof *a) != 0)
		sim_fail(s, "a rollout that has ended changes");
	if (after->active.there && rollout_active(b) != (after->env.rollout == b->number) &&
	    b->status != ROLLOUT_QUEUED)
		sim_fail(s, "I-16: the rollout and the environment disagree about who holds it");
	if (before->env.standby && !(after->env.standby) && after->env.epoch == before->env.epoch)
		sim_fail(s, "I-27: it leads again under its old epoch");
}

void oracle_committed(struct sim *s, const struct store *before, const struct store *after,
		      const struct rollout_event *event, const struct rollout_effects *fx)
{
	check_shares(s, after);
	check_versions(s, before, after, event);
	if (after->active.there) {
		check_evidence(s, before, fx);
		check_cursor(s, before, after, event, fx);
		check_cap(s, before, after);
		check_take_back(s, after);
		check_stable(s, before, after, fx);
		check_back(s, before, after, event, fx);
		check_obeyed(s, before, after, event);
		check_cause(s, before, after, event, fx);
	}
	check_rise(s, before, after);
	check_freeze(s, before, after, event);
	check_floor(s, before, after);
	check_notify(s, before, after, fx);
	check_terminal(s, before, after);
}

void oracle_unchanged(struct sim *s, const struct store *before, const struct rollout_event *event,
		      const struct rollout_effects *fx)
{
	const struct rollout *r = &before->active.r;

	for (uint32_t i = 0; i < fx->count; i++)
		if (fx->items[i].kind != EFFECT_ROUTE && fx->items[i].kind != EFFECT_SET)
			sim_fail(s, "I-23: an effect without a committed change");
	if (before->env.standby && fx->count > 0)
		sim_fail(s, "I-27: a controller without the lease has an effect");
	if (fx->answer == ANSWER_OK && (event->kind == EVENT_PAUSE || event->kind == EVENT_RESUME ||
					event->kind == EVENT_ABORT))
		sim_fail(s, "I-28: a command is answered \"done\" and nothing changed");
	if (event->kind == EVENT_ABORT && before->active.there && !before->env.standby &&
	    !before->active.plan.reverts && !r->marked && r->status >= ROLLOUT_GATED &&
	    r->status <= ROLLOUT_STUCK)
		sim_fail(s, "I-13: an abort has no effect");
	check_obeyed(s, before, before, event);
}

/* I-19 I-20: only what has drained may be stopped, or what nobody could reach any more. */
void oracle_stopping(struct sim *s, uint8_t release, uint32_t process, uint32_t slot)
{
	const struct instance *i = &s->instance[release][process][slot];
	const struct set_document *wish = &s->set_applied[release];

	if (i->state == FLEET_GAVE_UP && wish->standing && slot < wish->count[process])
		return;
	if (slot < wish->count[process])
		sim_fail(s, "I-19: a wanted instance is stopped");
	if (!i->draining || !i->removed)
		sim_fail(s, "I-19: stopped before the router confirmed that it is out");
	else if (i->in_flight > 0 && i->removed_ms < wish->drain_ms)
		sim_fail(s, "I-19: stopped with %u requests, %llu ms into its drain", i->in_flight,
			 (unsigned long long)i->removed_ms);
}

/* The runtime's report is what it says it is. */
void oracle_report(struct sim *s, uint8_t release, const struct fleet_tally *tally)
{
	const struct set_document *wish = &s->set_applied[release];
	uint32_t wrong = 0;

	for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
		uint32_t exist = 0, ready = 0, settled = 0, undrained = 0, failed = 0;
		for (uint32_t slot = 0; slot < SIM_SLOTS; slot++) {
			const struct instance *i = &s->instance[release][p][slot];
			bool wanted = slot < wish->count[p], up = i->state == FLEET_READY;
			bool empty = i->removed &&
				     (i->in_flight == 0 || i->removed_ms >= wish->drain_ms);
			if (!i->exists)
				continue;
			exist++;
			wrong += i->wrong;
			ready += wanted && up && !i->draining;
			settled += wanted && up && !i->draining &&
				   i->ready_ms >= s->settings.min_ready_ms;
			undrained +=
				!wanted && i->state != FLEET_STOPPING && !(i->draining && empty);
			failed += wanted && i->state == FLEET_GAVE_UP;
		}
		if (tally->exist[p] != exist || tally->ready[p] != ready ||
		    tally->settled[p] != settled || tally->undrained[p] != undrained ||
		    tally->failed[p] != failed)
			sim_fail(s, "the report on release %u is not what is there", release);
	}
	if (tally->wrong != wrong)
		sim_fail(s, "the report on release %u hides an instance of another", release);
}

/* I-18: no more instances than were asked for; stop-first processes never overlap. */
void oracle_world(struct sim *s)
{
	for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
		uint32_t full = s->settings.process[p].count, all = 0, releases = 0;
		for (uint8_t release = 0; release < SIM_RELEASES; release++) {
			uint32_t here = 0;
			for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
				here += s->instance[release][p][slot].exists;
			if (here > full)
				sim_fail(s, "I-18: %u instances of process %u, %u asked for", here,
					 p, full);
			all += here;
			releases += here > 0;
		}
		if (one_at_a_time(s, p) && all > full)
			sim_fail(s, "I-18: %u instances of a stop-first process of %u", all, full);
		if (releases > 3)
			sim_fail(s, "I-18: instances of %u releases", releases);
	}
}

/* I-14: at rest there is the stable release at full strength, all requests on it, and nothing else. */
void oracle_rest(struct sim *s)
{
	const struct environment_state *env = &s->memory.env;
	uint8_t stable = env->stable == SLOT_NONE
				 ? 0xff
				 : sim_release_index(&env->sets[env->stable].document.release);

	for (uint8_t release = 0; release < SIM_RELEASES; release++)
		for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
			uint32_t want = release == stable ? s->settings.process[p].count : 0,
				 here = 0;
			for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
				here += s->instance[release][p][slot].exists;
			if (here != want)
				sim_fail(s,
					 "I-14: at rest release %u has %u instances of process %u, "
					 "not %u",
					 release, here, p, want);
			if (want > 0 && world_ready(s, release, p) != want)
				sim_fail(s, "I-14: at rest not all stable instances are ready");
		}
	bool traffic = false;
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		traffic = traffic || has_traffic(s, p);
	if (traffic && stable != 0xff &&
	    (env->router.weight_bp[env->stable] != 10000 ||
	     s->route_applied.weight_bp[env->stable] != 10000 || env->router.park ||
	     env->router.mirror != SLOT_NONE))
		sim_fail(s, "I-14: at rest the stable release does not have all requests");
}
