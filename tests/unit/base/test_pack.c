/* SPDX-License-Identifier: Apache-2.0
 * test_pack - what was written is read back, and nothing is read past the end. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/pack.h"

static void what_was_packed_is_unpacked(void **state)
{
	(void)state;
	uint8_t memory[64];
	char text[8];
	struct packer p;
	struct unpacker u;
	pack_init(&p, memory, sizeof memory);
	pack_u8(&p, 7);
	pack_u64(&p, 0x1122334455667788u);
	pack_text(&p, "davit");
	assert_true(p.ok);
	unpack_init(&u, memory, p.size);
	assert_int_equal(unpack_u8(&u), 7);
	assert_int_equal(unpack_u64(&u), 0x1122334455667788u);
	unpack_text(&u, text, sizeof text);
	assert_string_equal(text, "davit");
	assert_true(unpack_end(&u));
}

static void every_cut_is_noticed(void **state)
{
	(void)state;
	uint8_t memory[64];
	struct packer p;
	pack_init(&p, memory, sizeof memory);
	pack_u32(&p, 5);
	pack_text(&p, "release");
	for (size_t size = 0; size < p.size; size++) {
		struct unpacker u;
		char text[16];
		unpack_init(&u, memory, size);
		unpack_u32(&u);
		unpack_text(&u, text, sizeof text);
		assert_false(unpack_end(&u));
	}
}

static void a_full_packer_says_so_and_writes_no_more(void **state)
{
	(void)state;
	uint8_t memory[4] = {0};
	struct packer p;
	pack_init(&p, memory, 3);
	pack_u32(&p, UINT32_MAX);
	assert_false(p.ok);
	assert_int_equal(p.size, 0);
	assert_int_equal(memory[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_is_unpacked),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(a_full_packer_says_so_and_writes_no_more),
	};
	return cmocka_run_group_tests_name("base/pack", tests, NULL, NULL);
}
