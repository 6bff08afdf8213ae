/* SPDX-License-Identifier: Apache-2.0
 * fuzz_keeper_messages - what a keeper and the driver take from a socket or a file of the state directory. The
 * first byte chooses: a message, a spec or a record. What was taken must be within its bounds, and be the same
 * after it was written and read once more. */
#include <string.h>

#include "fuzz.h"

#include "link/instance_record.h"
#include "link/keeper_messages.h"

static void try_message(const uint8_t *data, size_t size)
{
	struct keeper_message message, again;
	uint8_t first[KEEPER_MESSAGE_MAX], second[KEEPER_MESSAGE_MAX];
	struct error err;
	if (keeper_message_read(data, size, &message, &err) < 0)
		return;
	size_t written = keeper_message_write(&message, first);
	EXPECT(keeper_message_read(first, written, &again, &err) == 0);
	EXPECT(keeper_message_write(&again, second) == written);
	EXPECT(memcmp(first, second, written) == 0);
	/* Only the name of an error may come out other than it went in: one that nobody knows. */
	if (message.kind != KEEPER_REFUSED)
		EXPECT(written == size && memcmp(first, data, size) == 0);
}

static void try_spec(const uint8_t *data, size_t size)
{
	struct instance_spec spec, again;
	struct instance_version version, version_again;
	struct buf first, second;
	struct error err;
	if (instance_spec_read((const char *)data, size, &spec, &version, &err) < 0)
		return;
	buf_init(&first, INSTANCE_SPEC_MAX_BYTES);
	buf_init(&second, INSTANCE_SPEC_MAX_BYTES);
	EXPECT(instance_spec_check(&spec, &err) == 0);
	EXPECT(instance_spec_write(&spec, version, &first, &err) == 0);
	EXPECT(instance_spec_read(first.data, first.size, &again, &version_again, &err) == 0);
	EXPECT(instance_version_compare(version, version_again) == 0);
	EXPECT(instance_spec_write(&again, version_again, &second, &err) == 0);
	EXPECT(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	instance_spec_done(&spec);
	instance_spec_done(&again);
	buf_done(&first);
	buf_done(&second);
}

static void try_record(const uint8_t *data, size_t size)
{
	struct instance_record record, again;
	struct buf text;
	struct error err;
	if (instance_record_read((const char *)data, size, &record, &err) < 0)
		return;
	EXPECT(record.crash_count <= INSTANCE_RESTARTS_MAX + 1 &&
	       record.want < INSTANCE_WANT_COUNT);
	EXPECT(memchr(record.sentence, 0, sizeof record.sentence) != NULL);
	buf_init(&text, RECORD_MAX_BYTES);
	instance_record_write(&record, &text);
	EXPECT(instance_record_read(text.data, text.size, &again, &err) == 0);
	EXPECT(strcmp(record.cgroup, again.cgroup) == 0 && record.pid == again.pid &&
	       record.port == again.port && record.state == again.state);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'm': try_message(data + 1, size - 1); break;
	case 's': try_spec(data + 1, size - 1); break;
	case 'r': try_record(data + 1, size - 1); break;
	default: break;
	}
	return 0;
}
