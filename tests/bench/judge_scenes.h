/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_scenes - worlds in which the new release is as good as the live one, and that look as if it were not.
 *
 * WHAT  A scene draws the traffic of a rollout: first the live release alone, at seconds below 0, then both. Whoever
 *       fails the new release in it is wrong.
 * HOW   scene_begin(), then scene_tick() once for each tick. judge_tables.c and judge_goals.c count who falls for it.
 */
#ifndef BENCH_JUDGE_SCENES_H
#define BENCH_JUDGE_SCENES_H

#include "judge_world.h"

enum { SCENE_USERS = 512, SCENE_BACKENDS = 16 };

struct scene;

struct scene_kind {
	const char *name;
	double rps, share; /* at the start */
	uint32_t seconds;  /* of the rollout */
	bool latency;      /* are latencies drawn? */
	void (*tick)(struct scene *scene, double second, struct judge_tick *ret_tick);
};

struct scene {
	const struct scene_kind *kind;
	struct world world;
	double moment;   /* of the tick, seconds; below 0 only the live release has traffic */
	uint64_t served; /* by the new release */
	struct {
		bool is_new, broken;
		uint32_t left; /* requests that the user will send */
	} users[SCENE_USERS];
	double phase[SCENE_BACKENDS]; /* when a backend pauses, seconds */
};

enum { SCENE_LEARN_S = 600, SCENES = 20 };
extern const struct scene_kind scene_kinds[SCENES];

void scene_begin(struct scene *scene, const struct scene_kind *kind, uint64_t seed);
void scene_tick(struct scene *scene, struct judge_tick *ret_tick);

#endif
