/* SPDX-License-Identifier: Apache-2.0
 * cmocka wants these four before it; every unit test includes this one line instead. */
#ifndef CMOCKA_ALL_H
#define CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* a block of its own, so that clang-format leaves it last */

#endif
