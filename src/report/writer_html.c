/* SPDX-License-Identifier: Apache-2.0
 * writer_html - a document as one HTML page: its style is in it, nothing is loaded, nothing runs. */
#include <stdio.h>

#include "report/chart.h"
#include "report/flow.h"
#include "report/writer.h"

static const char style[] =
	":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d9dee6;--paper:#fff;"
	"--panel:#f5f7fa;--good:#1a7f4b;--bad:#b3261e;--new:#c2410c;--live:#1d5fbf}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#344050;"
	"--paper:#12171e;--panel:#1a212b;--good:#5fd39a;--bad:#ff8a80;--new:#ff9d5c;"
	"--live:#7db3ff}}"
	"*{box-sizing:border-box}"
	"body{margin:0;background:var(--paper);color:var(--ink);"
	"font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",sans-serif}"
	"main{max-width:56rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}"
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem;letter-spacing:-.01em}"
	"h2{font-size:1.25rem;margin:2.6rem 0 .7rem;padding-top:.9rem;"
	"border-top:1px solid var(--line)}"
	"h3{font-size:1.02rem;margin:1.6rem 0 .4rem}"
	"p,li,dd,td{overflow-wrap:anywhere}p{margin:.6rem 0}"
	".state{padding:.7rem 1rem;border-left:4px solid var(--soft);background:var(--panel)}"
	".state b{margin-right:.5em}.good b,td.good{color:var(--good)}"
	".bad b,td.bad{color:var(--bad)}.state.good{border-color:var(--good)}"
	".state.bad{border-color:var(--bad)}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:0 0 1rem;"
	"font-size:.9rem}dt{color:var(--soft)}dd{margin:0}"
	".wide{overflow-x:auto;margin:.8rem 0 1.2rem}"
	"table{border-collapse:collapse;width:100%;font-size:.9rem;"
	"font-variant-numeric:tabular-nums}"
	"caption{text-align:left;color:var(--soft);padding:0 0 .35rem}"
	"th{text-align:left;font-weight:600;border-bottom:2px solid var(--line);"
	"padding:.3rem .8rem .3rem 0;vertical-align:bottom}"
	"td{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;vertical-align:top}"
	"td.number{white-space:nowrap}"
	".question{margin:1rem 0}.question div{min-height:3.2rem;margin-top:.4rem;"
	"border:1px dashed var(--line);border-radius:4px;padding:.5rem .8rem;color:var(--soft)}"
	"figure{margin:1.2rem 0 1.6rem}figcaption{font-size:.9rem;color:var(--soft)}"
	"svg{display:block;width:100%;height:auto;margin:.3rem 0}"
	"svg text{font:12px system-ui,\"Liberation Sans\",sans-serif;fill:var(--soft)}"
	"svg .grid{stroke:var(--line)}svg .band{fill:var(--panel)}"
	"svg .limit{stroke:var(--bad);stroke-dasharray:5 4}"
	"svg .new{stroke:var(--new);fill:none;stroke-width:2}"
	"svg .live{stroke:var(--live);fill:none;stroke-width:2;stroke-dasharray:7 3}"
	"svg .mark{stroke:var(--ink);stroke-dasharray:1 3}"
	"svg .newtext{fill:var(--new)}svg .livetext{fill:var(--live)}"
	"summary{cursor:pointer;font-size:.9rem;color:var(--soft);padding:.3rem 0}"
	"@media print{main{max-width:none;padding:0}body{font-size:11pt;background:#fff}"
	"h2,h3{break-after:avoid}figure,tr,.question{break-inside:avoid}"
	"details>summary{display:none}}";

static void end_list(struct writer *w)
{
	if (w->in_list)
		buf_puts(w->to, "</ul>\n");
	w->in_list = false;
}

/* <tag>text</tag> */
static void element(struct writer *w, const char *tag, const char *text)
{
	buf_printf(w->to, "<%s>", tag);
	writer_escape(w->to, text);
	buf_printf(w->to, "</%s>\n", tag);
}

static void begin(struct writer *w, const char *title)
{
	buf_puts(w->to,
		 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "style-src 'unsafe-inline'\">\n");
	element(w, "title", title);
	buf_printf(w->to, "<style>%s</style>\n</head>\n<body>\n<main>\n", style);
	element(w, "h1", title);
}

static void end(struct writer *w)
{
	end_list(w);
	buf_puts(w->to, "</main>\n</body>\n</html>\n");
}

static void meta(struct writer *w, const char *const (*pairs)[2], unsigned count)
{
	buf_puts(w->to, "<dl>\n");
	for (unsigned i = 0; i < count; i++) {
		buf_puts(w->to, "<dt>");
		for (const char *c = pairs[i][0]; *c; c++)
			buf_append(w->to, *c == '_' ? " " : c, 1);
		buf_puts(w->to, "</dt>\n");
		element(w, "dd", pairs[i][1][0] ? pairs[i][1] : "\xe2\x80\x93");
	}
	buf_puts(w->to, "</dl>\n");
}

static void heading(struct writer *w, unsigned level, const char *text)
{
	end_list(w);
	element(w, level == 1 ? "h2" : "h3", text);
}

static void paragraph(struct writer *w, const char *text)
{
	end_list(w);
	element(w, "p", text);
}

static const char *glyph(enum writer_tone tone)
{
	return tone == WRITER_GOOD ? "\xe2\x9c\x94 " : tone == WRITER_BAD ? "\xe2\x9c\x96 " : "";
}

static const char *class_of(enum writer_tone tone)
{
	return tone == WRITER_GOOD     ? "good"
	       : tone == WRITER_BAD    ? "bad"
	       : tone == WRITER_NUMBER ? "number"
				       : "plain";
}

static void state(struct writer *w, enum writer_tone tone, const char *word, const char *text)
{
	end_list(w);
	buf_printf(w->to, "<p class=\"state %s\"><b>%s", class_of(tone), glyph(tone));
	writer_escape(w->to, word);
	buf_puts(w->to, "</b> ");
	writer_escape(w->to, text);
	buf_puts(w->to, "</p>\n");
}

static void item(struct writer *w, const char *text)
{
	if (!w->in_list)
		buf_puts(w->to, "<ul>\n");
	w->in_list = true;
	element(w, "li", text);
}

static void question(struct writer *w, const char *text)
{
	end_list(w);
	buf_puts(w->to, "<div class=\"question\"><b>");
	writer_escape(w->to, text);
	buf_puts(w->to, "</b><div>to be written</div></div>\n");
}

static void table(struct writer *w, const char *caption, const char *const *titles, unsigned count)
{
	end_list(w);
	buf_puts(w->to, "<div class=\"wide\"><table>\n");
	if (caption[0])
		element(w, "caption", caption);
	buf_puts(w->to, "<thead><tr>");
	for (unsigned i = 0; i < count; i++) {
		buf_puts(w->to, "<th scope=\"col\">");
		writer_escape(w->to, titles[i]);
		buf_puts(w->to, "</th>");
	}
	buf_puts(w->to, "</tr></thead>\n<tbody>\n");
}

static void row(struct writer *w, const struct writer_cell *cells, unsigned count)
{
	buf_puts(w->to, "<tr>");
	for (unsigned i = 0; i < count; i++) {
		buf_printf(w->to, "<td class=\"%s\">%s", class_of(cells[i].tone),
			   glyph(cells[i].tone));
		writer_escape(w->to, cells[i].text);
		buf_puts(w->to, "</td>");
	}
	buf_puts(w->to, "</tr>\n");
}

static void table_end(struct writer *w)
{
	buf_puts(w->to, "</tbody></table></div>\n");
}

static void draw(struct writer *w, const struct chart *chart)
{
	end_list(w);
	buf_puts(w->to, "<figure>\n<figcaption>");
	writer_escape(w->to, chart->caption);
	buf_puts(w->to, "</figcaption>\n");
	chart_svg(chart, w->to);
	buf_puts(w->to, "<details><summary>The same as a table</summary>\n");
	chart_table(chart, w, CHART_POINTS_MAX);
	buf_puts(w->to, "</details>\n</figure>\n");
}

static void draw_flow(struct writer *w, const struct flow *flow)
{
	end_list(w);
	buf_puts(w->to, "<figure>\n");
	flow_svg(flow, w->to);
	buf_puts(w->to, "</figure>\n");
}

const struct writer_ops writer_html = {
	.begin = begin,
	.end = end,
	.meta = meta,
	.heading = heading,
	.state = state,
	.paragraph = paragraph,
	.item = item,
	.question = question,
	.table = table,
	.row = row,
	.table_end = table_end,
	.chart = draw,
	.flow = draw_flow,
};
