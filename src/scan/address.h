/* SPDX-License-Identifier: Apache-2.0
 *
 * address - where a scanned instance listened, out of what a report says, for the next release listens elsewhere. Pure.
 *
 * WHAT  "http://127.0.0.1:20017/login" becomes "$URL/login", and so does the address without its scheme. In place.
 */
#ifndef SCAN_ADDRESS_H
#define SCAN_ADDRESS_H

/* `address` is "127.0.0.1:20017", longer than "$URL". */
void address_hide(char *text, const char *address);

#endif
