/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp - what an environment says of its connections, where they are not HTTP; a part of app.h.
 */
#ifndef CONFIG_TCP_H
#define CONFIG_TCP_H

#include <stdint.h>

#include "config/steps.h"

enum app_protocol { APP_PROTOCOL_HTTP, APP_PROTOCOL_TCP };

enum app_proxy { APP_PROXY_OFF, APP_PROXY_V2 };

enum { APP_PROXIES_MAX = 8 };

struct app_tcp {
	uint32_t set; /* 0: the protocol is another one */
	uint64_t idle_ms;
	enum app_proxy proxy;     /* how an instance is told of its client */
	struct app_texts proxies; /* networks whose connections tell us of theirs */
};

#endif
