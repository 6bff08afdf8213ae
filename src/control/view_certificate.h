/* SPDX-License-Identifier: Apache-2.0
 *
 * view_certificate - what people are shown of an environment's certificate. Part of view.h.
 */
#ifndef CONTROL_VIEW_CERTIFICATE_H
#define CONTROL_VIEW_CERTIFICATE_H

#include <stdint.h>

enum { VIEW_CERTIFICATE_TEXT_SIZE = 512 };

struct view_certificate {
	/* "good"; "ordered": davit waits for the first one; "failing": the last order failed; "soon", "expired": its time
	   ends, or has; "unusable"; "" = served in clear, and nothing else here is filled */
	char state[16];
	char text[VIEW_CERTIFICATE_TEXT_SIZE];
	uint64_t until_unix_ms; /* 0 = there is none */
	uint64_t due_unix_ms;   /* of one that davit orders: the next order; 0 = it orders none */
};

#endif
