/* SPDX-License-Identifier: Apache-2.0
 * codec - canonical bytes of plan, environment and rollout (plan.h, environment.h, rollout.h).
 *
 * Each begins with a number that says which of the three it is and a format version. A later davit adds
 * fields at the end of a part, under a higher version, and fills them in when it reads an older one.
 * What the last observation saw is not stored: after a restart nothing is known until the world is
 * looked at again. */
#include <string.h>

#include "base/pack.h"
#include "base/text.h"
#include "rollout/environment.h"
#include "rollout/plan.h"
#include "rollout/rollout.h"

enum { CODEC_PLAN = 0x6470, CODEC_ENVIRONMENT = 0x6465, CODEC_ROLLOUT = 0x6472, CODEC_VERSION = 2 };

static void head_pack(struct packer *p, uint16_t kind)
{
	pack_u16(p, kind);
	pack_u16(p, CODEC_VERSION);
}

/* The format's version; 0 when it is not of this kind, or of a davit of tomorrow. */
static uint16_t head_unpack(struct unpacker *u, uint16_t kind)
{
	uint16_t found = unpack_u16(u);
	uint16_t version = unpack_u16(u);
	return u->ok && found == kind && version <= CODEC_VERSION ? version : 0;
}

static uint8_t unpack_below(struct unpacker *u, uint8_t limit)
{
	uint8_t value = unpack_u8(u);
	if (value >= limit) {
		u->ok = false;
		return 0;
	}
	return value;
}

static void counts_pack(struct packer *p, const uint16_t count[PROCESSES_MAX])
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		pack_u16(p, count[i]);
}

static void counts_unpack(struct unpacker *u, uint16_t count[PROCESSES_MAX])
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		count[i] = unpack_u16(u);
		if (count[i] > PROCESS_INSTANCES_MAX)
			u->ok = false;
	}
}

static void shapes_pack(struct packer *p, const struct process_shape shape[PROCESSES_MAX])
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		pack_u16(p, shape[i].count);
		pack_u8(p, shape[i].traffic);
		pack_u8(p, (uint8_t)shape[i].handover);
	}
}

static void shapes_unpack(struct unpacker *u, struct process_shape shape[PROCESSES_MAX])
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		shape[i].count = unpack_u16(u);
		shape[i].traffic = unpack_bool(u);
		shape[i].handover = (enum handover)unpack_below(u, HANDOVER_STOP_FIRST + 1);
		if (shape[i].count > PROCESS_INSTANCES_MAX)
			u->ok = false;
	}
}

static void version_pack(struct packer *p, struct version version)
{
	pack_u64(p, version.epoch);
	pack_u64(p, version.n);
}

static struct version version_unpack(struct unpacker *u)
{
	struct version version = {.epoch = unpack_u64(u)};
	version.n = unpack_u64(u);
	return version;
}

static void step_pack(struct packer *p, const struct plan_step *step)
{
	pack_u8(p, (uint8_t)step->op);
	pack_u8(p, step->release);
	counts_pack(p, step->count);
	for (uint32_t i = 0; i < PLAN_RELEASES_MAX; i++)
		pack_u32(p, step->weight_bp[i]);
	pack_u32(p, step->mirror_bp);
	pack_u8(p, step->mirror);
	pack_u8(p, step->preview);
	pack_u8(p, step->park);
	pack_u8(p, step->exposes);
	pack_u32(p, step->analyses);
	pack_u32(p, step->min_samples);
	pack_u64(p, step->for_ms);
	pack_u64(p, step->at_most_ms);
	pack_u8(p, (uint8_t)step->too_little);
	pack_u64(p, step->deadline_ms);
	pack_u64(p, step->min_ready_ms);
	pack_text(p, step->label);
}

static void step_unpack(struct unpacker *u, struct plan_step *step)
{
	step->op = (enum plan_op)unpack_below(u, PLAN_OP_COUNT);
	step->release = unpack_u8(u);
	counts_unpack(u, step->count);
	for (uint32_t i = 0; i < PLAN_RELEASES_MAX; i++)
		step->weight_bp[i] = unpack_u32(u);
	step->mirror_bp = unpack_u32(u);
	step->mirror = unpack_u8(u);
	step->preview = unpack_u8(u);
	step->park = unpack_bool(u);
	step->exposes = unpack_bool(u);
	step->analyses = unpack_u32(u);
	step->min_samples = unpack_u32(u);
	step->for_ms = unpack_u64(u);
	step->at_most_ms = unpack_u64(u);
	step->too_little = (enum too_little)unpack_below(u, TOO_LITTLE_CONTINUE + 1);
	step->deadline_ms = unpack_u64(u);
	step->min_ready_ms = unpack_u64(u);
	unpack_text(u, step->label, sizeof step->label);
}

size_t plan_encode(const struct plan *plan, void *to, size_t size)
{
	struct packer p;

	pack_init(&p, to, size);
	head_pack(&p, CODEC_PLAN);
	pack_text(&p, plan->strategy);
	pack_u8(&p, plan->reverts);
	pack_u8(&p, plan->urgent);
	pack_u8(&p, plan->needs_approval);
	for (uint32_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		pack_bytes(&p, plan->releases[i].id.bytes, RELEASE_ID_SIZE);
		shapes_pack(&p, plan->releases[i].process);
	}
	counts_pack(&p, plan->floor);
	pack_u64(&p, plan->keep_warm_ms);
	pack_u64(&p, plan->ready_deadline_ms);
	pack_u64(&p, plan->min_ready_ms);
	pack_u64(&p, plan->route_deadline_ms);
	pack_u64(&p, plan->drain_ms);
	pack_u64(&p, plan->stop_deadline_ms);
	pack_u64(&p, plan->pause_ttl_ms);
	pack_u64(&p, plan->approval_ttl_ms);
	pack_u32(&p, plan->retries_max);
	pack_u32(&p, plan->inconclusive_max);
	pack_u32(&p, plan->step_count);
	for (uint32_t i = 0; i < plan->step_count; i++)
		step_pack(&p, &plan->steps[i]);
	return p.ok ? p.size : 0;
}

static void plan_unpack(struct unpacker *u, struct plan *plan)
{
	unpack_text(u, plan->strategy, sizeof plan->strategy);
	plan->reverts = unpack_bool(u);
	plan->urgent = unpack_bool(u);
	plan->needs_approval = unpack_bool(u);
	for (uint32_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		unpack_bytes(u, plan->releases[i].id.bytes, RELEASE_ID_SIZE);
		shapes_unpack(u, plan->releases[i].process);
	}
	counts_unpack(u, plan->floor);
	plan->keep_warm_ms = unpack_u64(u);
	plan->ready_deadline_ms = unpack_u64(u);
	plan->min_ready_ms = unpack_u64(u);
	plan->route_deadline_ms = unpack_u64(u);
	plan->drain_ms = unpack_u64(u);
	plan->stop_deadline_ms = unpack_u64(u);
	plan->pause_ttl_ms = unpack_u64(u);
	plan->approval_ttl_ms = unpack_u64(u);
	plan->retries_max = unpack_u32(u);
	plan->inconclusive_max = unpack_u32(u);
	plan->step_count = unpack_u32(u);
	if (plan->step_count > PLAN_STEPS_MAX)
		u->ok = false;
	for (uint32_t i = 0; u->ok && i < plan->step_count; i++)
		step_unpack(u, &plan->steps[i]);
}

bool plan_decode(struct plan *plan, const void *bytes, size_t size)
{
	struct unpacker u;

	plan_init(plan);
	unpack_init(&u, bytes, size);
	if (head_unpack(&u, CODEC_PLAN) > 0) {
		plan_unpack(&u, plan);
		if (unpack_end(&u) && plan_valid(plan))
			return true;
	}
	plan_init(plan);
	return false;
}

size_t environment_encode(const struct environment_state *env, void *to, size_t size)
{
	struct packer p;

	pack_init(&p, to, size);
	head_pack(&p, CODEC_ENVIRONMENT);
	pack_u64(&p, env->epoch);
	pack_u64(&p, env->next_n);
	pack_u64(&p, env->rollout);
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++) {
		const struct environment_set *set = &env->sets[i];
		pack_bytes(&p, set->document.release.bytes, RELEASE_ID_SIZE);
		version_pack(&p, set->document.version);
		counts_pack(&p, set->document.count);
		pack_u8(&p, (uint8_t)set->document.surplus);
		pack_u8(&p, set->document.standing);
		pack_u64(&p, set->document.drain_ms);
		shapes_pack(&p, set->process);
		pack_u64(&p, set->drained_ms);
	}
	version_pack(&p, env->router.version);
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		pack_u32(&p, env->router.weight_bp[i]);
	pack_u32(&p, env->router.mirror_bp);
	pack_u8(&p, env->router.mirror);
	pack_u8(&p, env->router.preview);
	pack_u8(&p, env->router.park);
	pack_u8(&p, (uint8_t)env->router.access);
	pack_u8(&p, env->stable);
	pack_u8(&p, env->warm);
	pack_u64(&p, env->warm_left_ms);
	pack_u8(&p, env->frozen);
	pack_u8(&p, env->standby);
	pack_u64(&p, env->reassert_ms);
	return p.ok ? p.size : 0;
}

static uint8_t slot_unpack(struct unpacker *u)
{
	uint8_t slot = unpack_u8(u);
	if (slot >= ENVIRONMENT_SETS_MAX && slot != SLOT_NONE)
		u->ok = false;
	return slot;
}

static void environment_unpack(struct unpacker *u, struct environment_state *env)
{
	env->epoch = unpack_u64(u);
	env->next_n = unpack_u64(u);
	env->rollout = unpack_u64(u);
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++) {
		struct environment_set *set = &env->sets[i];
		unpack_bytes(u, set->document.release.bytes, RELEASE_ID_SIZE);
		set->document.version = version_unpack(u);
		counts_unpack(u, set->document.count);
		set->document.surplus = (enum surplus)unpack_below(u, SURPLUS_DRAIN + 1);
		set->document.standing = unpack_bool(u);
		set->document.drain_ms = unpack_u64(u);
		shapes_unpack(u, set->process);
		set->drained_ms = unpack_u64(u);
	}
	env->router.version = version_unpack(u);
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		env->router.weight_bp[i] = unpack_u32(u);
	env->router.mirror_bp = unpack_u32(u);
	env->router.mirror = slot_unpack(u);
	env->router.preview = slot_unpack(u);
	env->router.park = unpack_bool(u);
	env->router.access = (enum traffic_access)unpack_below(u, ACCESS_COUNT);
	env->stable = slot_unpack(u);
	env->warm = slot_unpack(u);
	env->warm_left_ms = unpack_u64(u);
	env->frozen = unpack_bool(u);
	env->standby = unpack_bool(u);
	env->reassert_ms = unpack_u64(u);
}

bool environment_decode(struct environment_state *env, const void *bytes, size_t size)
{
	struct unpacker u;

	environment_init(env);
	unpack_init(&u, bytes, size);
	if (head_unpack(&u, CODEC_ENVIRONMENT) > 0) {
		environment_unpack(&u, env);
		if (unpack_end(&u) && environment_valid(env))
			return true;
	}
	environment_init(env);
	return false;
}

size_t rollout_encode(const struct rollout *r, void *to, size_t size)
{
	struct packer p;

	pack_init(&p, to, size);
	head_pack(&p, CODEC_ROLLOUT);
	pack_u64(&p, r->number);
	pack_u8(&p, (uint8_t)r->status);
	pack_u8(&p, (uint8_t)r->reason);
	pack_bytes(&p, r->release.bytes, RELEASE_ID_SIZE);
	pack_bytes(&p, r->plan_hash, ROLLOUT_HASH_SIZE);
	pack_u32(&p, r->cursor);
	pack_u32(&p, r->attempt);
	pack_u32(&p, r->guard_attempt);
	pack_u8(&p, r->issued);
	pack_u8(&p, r->passed);
	pack_u8(&p, (uint8_t)r->passed_as);
	pack_u8(&p, r->acked);
	pack_u8(&p, r->ready_once);
	pack_u8(&p, r->marked);
	pack_u32(&p, r->retries);
	pack_u32(&p, r->inconclusive);
	pack_u64(&p, r->held_ms);
	pack_u64(&p, r->waited_ms);
	pack_u64(&p, r->acked_ms);
	pack_u64(&p, r->unready_ms);
	pack_u64(&p, r->paused_ms);
	pack_u64(&p, r->running_ms);
	pack_u64(&p, r->transitions);
	pack_u32(&p, r->confirmed_bp);
	pack_u8(&p, r->candidate_stood);
	pack_u8(&p, r->live_stood);
	pack_u32(&p, r->candidate_falls);
	pack_u32(&p, r->live_falls);
	return p.ok ? p.size : 0;
}

bool rollout_decode(struct rollout *r, const void *bytes, size_t size)
{
	struct unpacker u;

	rollout_init(r);
	unpack_init(&u, bytes, size);
	uint16_t version = head_unpack(&u, CODEC_ROLLOUT);
	if (version == 0)
		return false;
	r->number = unpack_u64(&u);
	r->status = (enum rollout_status)unpack_below(&u, ROLLOUT_STATUS_COUNT);
	r->reason = (enum rollout_reason)unpack_below(&u, REASON_COUNT);
	unpack_bytes(&u, r->release.bytes, RELEASE_ID_SIZE);
	unpack_bytes(&u, r->plan_hash, ROLLOUT_HASH_SIZE);
	r->cursor = unpack_u32(&u);
	r->attempt = unpack_u32(&u);
	r->guard_attempt = unpack_u32(&u);
	r->issued = unpack_bool(&u);
	r->passed = unpack_bool(&u);
	r->passed_as = (enum evidence_kind)unpack_below(&u, EVIDENCE_TOO_LITTLE + 1);
	r->acked = unpack_bool(&u);
	r->ready_once = unpack_bool(&u);
	r->marked = unpack_bool(&u);
	r->retries = unpack_u32(&u);
	r->inconclusive = unpack_u32(&u);
	r->held_ms = unpack_u64(&u);
	r->waited_ms = unpack_u64(&u);
	r->acked_ms = unpack_u64(&u);
	r->unready_ms = unpack_u64(&u);
	r->paused_ms = unpack_u64(&u);
	r->running_ms = unpack_u64(&u);
	r->transitions = unpack_u64(&u);
	r->confirmed_bp = SHARE_FULL_BP;
	if (version >= 2) {
		r->confirmed_bp = unpack_u32(&u);
		r->candidate_stood = unpack_bool(&u);
		r->live_stood = unpack_bool(&u);
		r->candidate_falls = unpack_u32(&u);
		r->live_falls = unpack_u32(&u);
	}
	if (unpack_end(&u))
		return true;
	rollout_init(r);
	return false;
}
