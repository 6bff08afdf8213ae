/* SPDX-License-Identifier: Apache-2.0
 * fuzz_table - blocks of the gateway's table. Size and checksum in the head are set right first, or nothing that a
 * fuzzer makes would come past them; as they are, they are tried too. A block that is taken must encode to
 * the same bytes, and its records must stay within the table. */
#include <string.h>

#include "fuzz.h"

#include "base/hash.h"
#include "base/pack.h"
#include "link/table.h"

enum { ABI_AT = 8, SIZE_AT = 12, HEAD_SIZE = 24, BLOCK_MAX = 65536 };

static void repair(uint8_t *block, size_t size)
{
	static const uint8_t key[HASH_KEY_SIZE];
	struct packer p;
	memcpy(block, "DVTTABLE", ABI_AT);
	pack_init(&p, block + ABI_AT, HEAD_SIZE - ABI_AT);
	pack_u32(&p, TABLE_ABI);
	pack_u32(&p, (uint32_t)size);
	pack_u64(&p, hash_keyed(key, block + HEAD_SIZE, size - HEAD_SIZE));
}

static void expect_within(const struct gateway_table *t)
{
	for (uint32_t i = 0; i < t->environment_count; i++) {
		const struct table_environment *e = &t->environments[i];
		EXPECT(e->mode < TABLE_MODE_COUNT);
		EXPECT((uint32_t)e->first_release + e->release_count <= t->release_count);
		EXPECT((uint32_t)e->first_class + e->class_count <= t->class_count);
		EXPECT(e->class_count <= TABLE_ENVIRONMENT_CLASSES_MAX);
		EXPECT(e->live == TABLE_NONE || e->live < t->release_count);
		EXPECT(e->tls.redirect == TABLE_NONE || e->tls.redirect < t->listener_count);
		EXPECT(e->tls.unnamed < TABLE_TLS_UNNAMED_COUNT);
		EXPECT(e->mirror.release == TABLE_NONE || e->mirror.release < t->release_count);
		EXPECT(e->cohort.release == TABLE_NONE || e->cohort.release < t->release_count);
		EXPECT(e->cohort.rule_count <= TABLE_COHORT_RULES_MAX);
		for (uint32_t k = 0; k < e->cohort.rule_count; k++) {
			EXPECT(e->cohort.rules[k].kind < TABLE_COHORT_COUNT);
			EXPECT(e->cohort.rules[k].value_count <= TABLE_COHORT_VALUES_MAX);
		}
	}
	for (uint32_t i = 0; i < t->route_count; i++) {
		EXPECT(t->routes[i].listener < t->listener_count);
		EXPECT(t->routes[i].environment < t->environment_count);
	}
	for (uint32_t i = 0; i < t->release_count; i++)
		EXPECT((uint32_t)t->releases[i].first_pool + t->releases[i].pool_count <=
		       t->pool_count);
	for (uint32_t i = 0; i < t->pool_count; i++)
		EXPECT((uint32_t)t->pools[i].first_backend + t->pools[i].backend_count <=
		       t->backend_count);
	for (uint32_t i = 0; i < t->class_count; i++) {
		EXPECT(t->classes[i].environment < t->environment_count);
		EXPECT((uint32_t)t->classes[i].first_prefix + t->classes[i].prefix_count <=
		       t->prefix_count);
	}
	for (uint32_t i = 0; i < t->prefix_count; i++) {
		EXPECT(t->prefixes[i].class < t->class_count);
		EXPECT(t->prefixes[i].path[0] == '/');
	}
	for (uint32_t i = 0; i < t->backend_count; i++)
		EXPECT(t->backends[i].state < TABLE_BACKEND_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	if (size < HEAD_SIZE || size > BLOCK_MAX)
		return 0;
	struct gateway_table *table = table_new(), *as_it_came = table_new();
	(void)table_generation(data, size);
	(void)!table_decode(data, size, as_it_came, &err);
	table_free(as_it_came);
	uint8_t *block = malloc(size);
	memcpy(block, data, size);
	repair(block, size);
	err.text[0] = '\0';
	int rc = table_decode(block, size, table, &err);
	EXPECT((rc < 0) == (err.text[0] != '\0'));
	if (rc == 0) {
		struct buf again;
		expect_within(table);
		buf_init(&again, TABLE_BYTES_MAX);
		EXPECT(table_encode(table, &again, &err) == 0);
		EXPECT(again.size == size && memcmp(again.data, block, size) == 0);
		EXPECT(table_generation(block, size) == table->generation);
		buf_done(&again);
	}
	free(block);
	table_free(table);
	return 0;
}
