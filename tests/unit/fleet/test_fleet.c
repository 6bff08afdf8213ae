/* SPDX-License-Identifier: Apache-2.0
 * test_fleet - what is started, drained and stopped, and what must never be. */
#include "../cmocka_all.h"

#include <string.h>

#include "fleet/fleet.h"

static struct fleet_wish wish;
static struct fleet_instance there[8];
static uint32_t there_count;
static struct fleet_actions actions;

static int set_up(void **state)
{
	(void)state;
	memset(there, 0, sizeof there);
	there_count = 0;
	wish = (struct fleet_wish){.count = {3}, .drain_ms = 30000};
	return 0;
}

static struct fleet_instance *add(uint16_t slot, enum fleet_state state)
{
	struct fleet_instance *instance = &there[there_count++];
	instance->slot = slot;
	instance->state = state;
	return instance;
}

static void decide(void)
{
	fleet_decide(&wish, there, there_count, &actions);
}

static void assert_action(uint32_t index, enum fleet_action_kind kind, uint16_t slot)
{
	assert_true(index < actions.count);
	assert_int_equal(actions.items[index].kind, kind);
	assert_int_equal(actions.items[index].slot, slot);
}

static void empty_slots_are_filled(void **state)
{
	(void)state;
	add(1, FLEET_READY);
	decide();
	assert_int_equal(actions.count, 2);
	assert_action(0, FLEET_START, 0);
	assert_action(1, FLEET_START, 2);
}

static void the_same_decision_twice_chooses_the_same(void **state)
{
	(void)state;
	struct fleet_actions first;
	wish.count[0] = 1;
	add(2, FLEET_READY);
	add(0, FLEET_READY);
	add(1, FLEET_STARTING);
	decide();
	first = actions;
	decide();
	assert_memory_equal(&first, &actions, sizeof first);
	assert_int_equal(actions.count, 2);
	assert_action(0, FLEET_DRAIN, 2);
	assert_action(1, FLEET_DRAIN, 1);
}

static void a_sick_instance_drains_ends_and_is_started_anew(void **state)
{
	(void)state;
	add(0, FLEET_READY);
	struct fleet_instance *sick = add(1, FLEET_READY);
	add(2, FLEET_READY);
	sick->sick = true;
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_DRAIN, 1);
	sick->draining = true;
	decide();
	assert_int_equal(actions.count, 0); /* it may still have requests */
	sick->removed = true;
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_STOP, 1);
	sick->state = FLEET_STOPPING;
	decide();
	assert_int_equal(actions.count, 0);
	there[1] = there[2];
	there_count = 2;
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_START, 1);
}

static void a_sick_instance_that_is_alone_stays(void **state)
{
	(void)state;
	wish.count[0] = 2;
	add(0, FLEET_UNREADY);
	add(1, FLEET_READY)->sick = true;
	decide();
	assert_int_equal(actions.count, 0);
}

/* The same document cannot ask for the contrary: it would drain for ever. */
static void a_sick_instance_that_drains_already_goes_on_though_it_is_alone(void **state)
{
	(void)state;
	wish.count[0] = 2;
	add(0, FLEET_UNREADY);
	struct fleet_instance *sick = add(1, FLEET_UNREADY);
	sick->sick = sick->draining = true;
	decide();
	assert_int_equal(actions.count, 0);
	sick->removed = true;
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_STOP, 1);
}

static void surplus_that_only_drains_is_not_stopped(void **state)
{
	(void)state;
	wish.count[0] = 0;
	struct fleet_instance *instance = add(0, FLEET_READY);
	instance->draining = instance->removed = true;
	decide();
	assert_int_equal(actions.count, 0);
	wish.stop_surplus = true;
	decide();
	assert_action(0, FLEET_STOP, 0);
}

static void nothing_is_stopped_before_the_router_confirmed_it(void **state)
{
	(void)state;
	wish.count[0] = 0;
	wish.stop_surplus = true;
	struct fleet_instance *instance = add(0, FLEET_READY);
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_DRAIN, 0);
	instance->draining = true;
	instance->removed_ms = 1000000;
	decide();
	assert_int_equal(actions.count, 0);
}

static void requests_in_flight_hold_up_a_stop_until_the_deadline(void **state)
{
	(void)state;
	wish.count[0] = 0;
	wish.stop_surplus = true;
	struct fleet_instance *instance = add(0, FLEET_READY);
	instance->draining = instance->removed = true;
	instance->in_flight = 1;
	instance->removed_ms = wish.drain_ms - 1;
	decide();
	assert_int_equal(actions.count, 0);
	instance->removed_ms = wish.drain_ms;
	decide();
	assert_action(0, FLEET_STOP, 0);
}

static void an_instance_that_is_wanted_again_serves_again(void **state)
{
	(void)state;
	add(0, FLEET_READY)->draining = true;
	wish.count[0] = 1;
	decide();
	assert_int_equal(actions.count, 1);
	assert_action(0, FLEET_SERVE, 0);
}

static void a_slot_stays_empty_until_its_old_instance_is_gone(void **state)
{
	(void)state;
	wish.count[0] = 1;
	add(0, FLEET_STOPPING);
	decide();
	assert_int_equal(actions.count, 0);
}

static void an_instance_that_gave_up_is_left_to_be_seen(void **state)
{
	(void)state;
	wish.count[0] = 1;
	add(0, FLEET_GAVE_UP)->gave_up_ms = 10 * FLEET_RETRY_MS;
	decide();
	assert_int_equal(actions.count, 0);
}

static void of_a_standing_release_it_is_tried_again_after_a_while(void **state)
{
	(void)state;
	wish.count[0] = 1;
	wish.standing = true;
	struct fleet_instance *instance = add(0, FLEET_GAVE_UP);
	instance->gave_up_ms = FLEET_RETRY_MS - 1;
	decide();
	assert_int_equal(actions.count, 0);
	instance->gave_up_ms = FLEET_RETRY_MS;
	decide();
	assert_action(0, FLEET_STOP, 0);
}

static void a_second_instance_in_one_slot_leaves(void **state)
{
	(void)state;
	wish.count[0] = 1;
	add(0, FLEET_READY);
	add(0, FLEET_READY);
	decide();
	assert_int_equal(actions.count, 1);
	assert_int_equal(actions.items[0].kind, FLEET_DRAIN);
	assert_int_equal(actions.items[0].instance, 1);
}

static void processes_are_counted_apart(void **state)
{
	(void)state;
	wish.count[0] = 1;
	wish.count[3] = 2;
	add(0, FLEET_READY);
	add(0, FLEET_READY)->process = 3;
	decide();
	assert_int_equal(actions.count, 1);
	assert_int_equal(actions.items[0].process, 3);
	assert_action(0, FLEET_START, 1);
}

static void more_actions_than_fit_come_with_the_next_call(void **state)
{
	(void)state;
	for (uint32_t p = 0; p < 4; p++)
		wish.count[p] = FLEET_SLOTS_MAX;
	decide();
	assert_int_equal(actions.count, FLEET_ACTIONS_MAX);
}

static void a_tally_tells_wanted_from_surplus(void **state)
{
	(void)state;
	struct fleet_tally tally;
	wish.count[0] = 2;
	add(0, FLEET_READY)->ready_ms = 5000;
	add(1, FLEET_READY)->ready_ms = 100;
	add(2, FLEET_READY); /* surplus, not told to drain yet: may have requests */
	struct fleet_instance *empty = add(3, FLEET_READY);
	empty->draining = empty->removed = true;
	add(4, FLEET_STOPPING)->wrong = true;
	fleet_count(&wish, there, there_count, 1000, &tally);
	assert_int_equal(tally.exist[0], 5);
	assert_int_equal(tally.ready[0], 2);
	assert_int_equal(tally.settled[0], 1);
	assert_int_equal(tally.undrained[0], 1);
	assert_int_equal(tally.failed[0], 0);
	assert_int_equal(tally.wrong, 1);
}

static void a_draining_instance_is_not_counted_ready(void **state)
{
	(void)state;
	struct fleet_tally tally;
	add(0, FLEET_READY)->draining = true;
	add(1, FLEET_GAVE_UP);
	fleet_count(&wish, there, there_count, 0, &tally);
	assert_int_equal(tally.ready[0], 0);
	assert_int_equal(tally.failed[0], 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_slots_are_filled),
		TEST(the_same_decision_twice_chooses_the_same),
		TEST(surplus_that_only_drains_is_not_stopped),
		TEST(nothing_is_stopped_before_the_router_confirmed_it),
		TEST(requests_in_flight_hold_up_a_stop_until_the_deadline),
		TEST(an_instance_that_is_wanted_again_serves_again),
		TEST(a_slot_stays_empty_until_its_old_instance_is_gone),
		TEST(an_instance_that_gave_up_is_left_to_be_seen),
		TEST(of_a_standing_release_it_is_tried_again_after_a_while),
		TEST(a_second_instance_in_one_slot_leaves),
		TEST(processes_are_counted_apart),
		TEST(more_actions_than_fit_come_with_the_next_call),
		TEST(a_sick_instance_drains_ends_and_is_started_anew),
		TEST(a_sick_instance_that_is_alone_stays),
		TEST(a_sick_instance_that_drains_already_goes_on_though_it_is_alone),
		TEST(a_tally_tells_wanted_from_surplus),
		TEST(a_draining_instance_is_not_counted_ready),
	};
	return cmocka_run_group_tests_name("fleet/fleet", tests, NULL, NULL);
}
