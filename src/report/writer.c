/* SPDX-License-Identifier: Apache-2.0
 * writer - what both languages share; see writer.h. */
#include "report/writer.h"

#include <string.h>

#include "base/text.h"

static const unsigned REPLACEMENT = 0xFFFD;

unsigned writer_character(const char *text, unsigned *ret_length)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *b = (const unsigned char *)text;
	unsigned length = b[0] < 0x80             ? 1
			  : (b[0] & 0xe0) == 0xc0 ? 2
			  : (b[0] & 0xf0) == 0xe0 ? 3
			  : (b[0] & 0xf8) == 0xf0 ? 4
						  : 0;
	unsigned c = length < 2 ? b[0] : b[0] & (0x7fu >> length);
	*ret_length = 1;
	for (unsigned i = 1; i < length; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (b[i] & 0x3fu);
	}
	if (length == 0 || c < least[length])
		return REPLACEMENT;
	*ret_length = length;
	return text_shows(c) ? c : REPLACEMENT;
}

void writer_escape(struct buf *to, const char *text)
{
	unsigned length;
	for (; *text; text += length) {
		unsigned c = writer_character(text, &length);
		if (c == REPLACEMENT)
			buf_puts(to, "\xef\xbf\xbd");
		else if (c == '&')
			buf_puts(to, "&amp;");
		else if (c == '<')
			buf_puts(to, "&lt;");
		else if (c == '>')
			buf_puts(to, "&gt;");
		else if (c == '"')
			buf_puts(to, "&quot;");
		else if (c == '\'')
			buf_puts(to, "&#39;");
		else
			buf_append(to, text, length);
	}
}
