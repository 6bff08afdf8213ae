/* SPDX-License-Identifier: Apache-2.0
 * judge_scenes - see judge_scenes.h for the contract. */
#include "judge_scenes.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

static struct latency_law usual, thrice_as_slow;

/* Both releases fail so often. */
static void fail(struct scene *scene, double share)
{
	scene->world.new_side.errors = scene->world.live_side.errors = share;
}

static void nothing_happens(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	(void)second;
	world_tick(&scene->world, ret_tick);
}

/* Something that both need fails for five minutes. */
static void shared_outage(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	fail(scene, second >= 120 && second < 420 ? 0.021 : 0.001);
	world_tick(&scene->world, ret_tick);
}

static void outage_from_nothing(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	fail(scene, second >= 120 && second < 420 ? 0.02 : 0);
	world_tick(&scene->world, ret_tick);
}

static void drift(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	double at = second < 0 ? 0 : second / scene->kind->seconds;
	fail(scene, 0.001 * pow(10, at < 0.5 ? 2 * at : 2 - 2 * at));
	world_tick(&scene->world, ret_tick);
}

static void retries(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	scene->world.new_side.cluster = scene->world.live_side.cluster = 3;
	nothing_happens(scene, second, ret_tick);
}

/* One of ten instances of the live release fails a fifth of its requests, for a while. */
static void bad_node(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	bool bad = fmod(second + SCENE_LEARN_S, 240) < 120;
	scene->world.live_side.errors = bad ? 0.9 * 0.001 + 0.1 * 0.2 : 0.001;
	world_tick(&scene->world, ret_tick);
}

/* Two instances answer their first hundred requests three times as slowly. */
static void cold_cache(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	(void)second;
	scene->world.new_side.law = scene->served < 200 ? &thrice_as_slow : &usual;
	world_tick(&scene->world, ret_tick);
}

/* Two classes of routes, of which one fails twenty times as often; what is asked for shifts. */
static void draw_mix(struct scene *scene, double second, bool strata, struct judge_tick *ret_tick)
{
	struct judge_tick part;
	struct world *w = &scene->world;
	double rps = w->rps, fragile = 0.35 + 0.3 * sin(second * 2 * M_PI / 600);
	memset(&part, 0, sizeof part);
	w->rps = rps * (1 - fragile);
	fail(scene, 0.0005);
	world_tick(w, ret_tick);
	w->rps = rps * fragile;
	fail(scene, 0.01);
	world_tick(w, &part);
	w->rps = rps;
	if (strata) {
		ret_tick->cells[ret_tick->cell_count++] = part.cells[0];
		return;
	}
	struct judge_cell *all = &ret_tick->cells[0];
	all->new_release.requests += part.cells[0].new_release.requests;
	all->live_release.requests += part.cells[0].live_release.requests;
	for (uint32_t i = 0; i < JUDGE_ERROR_COUNT; i++) {
		all->new_release.errors[i] += part.cells[0].new_release.errors[i];
		all->live_release.errors[i] += part.cells[0].live_release.errors[i];
	}
}

static void mix_in_strata(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	draw_mix(scene, second, true, ret_tick);
}

static void mix_together(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	draw_mix(scene, second, false, ret_tick);
}

/* What the gateway counts as divided by weight, without users who stay where they are: everything. */
static void divide(const struct scene *scene, struct judge_tick *tick)
{
	tick->division = (struct sample_ratio_tick){
		.weight_bp = (uint32_t)(scene->kind->share * SHARE_FULL_BP + 0.5)};
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		tick->division.new_done += tick->cells[s].new_release.requests;
		tick->division.live_done += tick->cells[s].live_release.requests;
	}
}

/* Half of all requests are of users who send fifty each, at ten a second at most, to one release; one user of a
 * hundred fails with all of them. Of a user's requests the first one is drawn. */
static void heavy_users(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	struct world *w = &scene->world;
	double rps = w->rps, active = rps / 2 / 10;
	w->rps = rps / 2;
	world_tick(w, ret_tick);
	w->rps = rps;
	if (second >= 0)
		divide(scene, ret_tick);
	for (uint32_t i = 0; i < SCENE_USERS && i < active; i++) {
		bool first = scene->users[i].left == 0;
		if (first) {
			scene->users[i].left = 50;
			scene->users[i].is_new = dice_uniform(&w->dice) < w->share;
			scene->users[i].broken = dice_uniform(&w->dice) < 0.01;
		}
		if (scene->users[i].is_new && second < 0)
			scene->users[i].is_new = false;
		struct judge_arm *arm = scene->users[i].is_new ? &ret_tick->cells[0].new_release
							       : &ret_tick->cells[0].live_release;
		scene->users[i].left--;
		if (first && second >= 0)
			(*(scene->users[i].is_new ? &ret_tick->division.new_done
						  : &ret_tick->division.live_done))++;
		arm->requests++;
		arm->errors[JUDGE_ERROR_SERVER] += scene->users[i].broken;
	}
}

/* Each backend stops for 200 ms every 10 s: whatever it has then is delayed by up to that. */
static void pauses(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	struct world *w = &scene->world;
	uint32_t backends = 10, fresh = (uint32_t)(w->share * backends + 0.5);
	world_tick(w, ret_tick);
	for (uint32_t side = 0; side < 2; side++) {
		struct judge_arm *arm = side == 0 ? &ret_tick->cells[0].new_release
						  : &ret_tick->cells[0].live_release;
		uint32_t first = side == 0 || w->share == 0 ? 0 : fresh;
		uint32_t count = side == 0 ? fresh : backends - first;
		for (uint32_t i = 0; i < arm->slot_count; i++) {
			uint32_t backend = first + (uint32_t)(dice_uniform(&w->dice) * count);
			double within = fmod(second + SCENE_LEARN_S + scene->phase[backend], 10);
			struct judge_slot *slot = &w->slots[arm->slots - w->slots + i];
			if (within < 0.2)
				slot->bucket = histogram_index(histogram_lower_us(slot->bucket) +
							       (uint64_t)((0.2 - within) * 1e6));
		}
	}
}

static void traffic_steps(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	scene->world.rps = scene->kind->rps * (fmod(second + SCENE_LEARN_S, 120) < 60 ? 1 : 10);
	world_tick(&scene->world, ret_tick);
}

/* In the middle a minute passes in one tick, and brings the requests of a second. */
static void clock_jump(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	world_tick(&scene->world, ret_tick);
	if (second >= 60 && second < 60.05)
		ret_tick->elapsed_ms = 60000;
}

static void never_fails(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	fail(scene, 0);
	nothing_happens(scene, second, ret_tick);
}

const struct scene_kind scene_kinds[SCENES] = {
	{"nothing happens", 200, 0.05, 900, true, nothing_happens},
	{"shared outage, +2% for 5 min", 1000, 0.01, 900, false, shared_outage},
	{"the same at 10 requests/s, half new", 10, 0.5, 900, false, shared_outage},
	{"the same at 10 requests/s, 10% new", 10, 0.1, 900, false, shared_outage},
	{"outage of a release without errors, half new", 10, 0.5, 900, false, outage_from_nothing},
	{"outage of a release without errors, 25% new", 10, 0.25, 600, false, outage_from_nothing},
	{"outage of a release without errors, 10% new", 30, 0.1, 600, false, outage_from_nothing},
	{"outage of a release without errors, 1% new", 300, 0.01, 600, false, outage_from_nothing},
	{"errors drift tenfold and back", 1000, 0.01, 1800, false, drift},
	{"retries: errors in clusters of 3", 1000, 0.01, 900, false, retries},
	{"one bad node of the live release", 1000, 0.1, 900, false, bad_node},
	{"cold cache: first 100 requests 3x slow", 50, 0.1, 300, true, cold_cache},
	{"the same at one request of the new release a second", 10, 0.1, 900, true, cold_cache},
	{"mix of routes shifts, in strata", 1000, 0.1, 900, false, mix_in_strata},
	{"mix of routes shifts, together", 1000, 0.1, 900, false, mix_together},
	{"sticky heavy users, 50 requests each", 1000, 0.1, 900, false, heavy_users},
	{"pauses: 200 ms every 10 s, per backend", 100, 0.1, 300, true, pauses},
	{"traffic steps tenfold within a tick", 20, 0.2, 600, true, traffic_steps},
	{"the clock jumps by a minute", 50, 0.1, 300, true, clock_jump},
	{"nothing ever fails", 100, 0.5, 900, false, never_fails},
};

void scene_begin(struct scene *scene, const struct scene_kind *kind, uint64_t seed)
{
	if (usual.keep[0] == 0) {
		latency_law_make(&usual, 1, 0, 0);
		latency_law_make(&thrice_as_slow, 3, 0, 0);
	}
	scene->kind = kind;
	scene->moment = -SCENE_LEARN_S;
	scene->served = 0;
	world_begin(&scene->world, seed, kind->rps, 0);
	if (kind->latency)
		scene->world.new_side.law = scene->world.live_side.law = &usual;
	memset(scene->users, 0, sizeof scene->users);
	for (uint32_t i = 0; i < SCENE_BACKENDS; i++)
		scene->phase[i] = 10 * dice_uniform(&scene->world.dice);
}

void scene_tick(struct scene *scene, struct judge_tick *ret_tick)
{
	scene->world.share = scene->moment < 0 ? 0 : scene->kind->share;
	ret_tick->division = (struct sample_ratio_tick){0};
	scene->kind->tick(scene, scene->moment, ret_tick);
	if (scene->moment >= 0 && ret_tick->division.weight_bp == 0)
		divide(scene, ret_tick);
	for (uint32_t s = 0; s < ret_tick->cell_count; s++)
		scene->served += ret_tick->cells[s].new_release.requests;
	scene->moment += 1.0 / TICKS_PER_SECOND;
}
