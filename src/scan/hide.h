/* SPDX-License-Identifier: Apache-2.0
 *
 * hide - what nobody may read, taken out of the texts of a report before anything is made of them.
 */
#ifndef SCAN_HIDE_H
#define SCAN_HIDE_H

/* In place: no text becomes longer. The same text may come twice. */
struct scan_hide {
	void (*text)(void *context, char *text);
	void *context;
};

#endif
