/* SPDX-License-Identifier: Apache-2.0
 *
 * maintenance - what clients get while `davit maintenance` lets nobody in, as davit.yaml says it (config/app.h).
 *
 * OWNS  Texts live as long as the configuration that they are of.
 * SEE   control/own_page.h, which looks at the file
 */
#ifndef CONFIG_MAINTENANCE_H
#define CONFIG_MAINTENANCE_H

#include <stdint.h>

struct app_maintenance {
	uint32_t set;
	const char *page; /* a file of the release; NULL: davit's own page */
};

#endif
