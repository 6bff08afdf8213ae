/* SPDX-License-Identifier: Apache-2.0
 * fuzz_gateway_messages - what may come over D/gateway.sock. A message that is taken must be written as the very
 * bytes that it was read from, but for the ABI of those that last: there is one form of each. */
#include <string.h>

#include "fuzz.h"

#include "link/gateway_messages.h"

enum { ABI_AT = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[GATEWAY_MESSAGE_MAX];
	struct gateway_message message;
	struct error err = {0};
	int rc = gateway_message_read(data, size, &message, &err);
	EXPECT((rc < 0) == (err.text[0] != '\0'));
	if (rc < 0)
		return 0;
	EXPECT(message.type > GATEWAY_NONE && message.type < GATEWAY_MESSAGE_COUNT);
	EXPECT(gateway_message_write(&message, again) == size);
	EXPECT(memcmp(again, data, ABI_AT) == 0);
	EXPECT(memcmp(again + ABI_AT + 2, data + ABI_AT + 2, size - ABI_AT - 2) == 0);
	return 0;
}
