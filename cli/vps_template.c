/* cella template: its options. */
#include "cli/vps_template.h"

static const struct opt template_opt_rows[] = {
	{ "image", 0, "TAG", "import: which of the images in FILE",
	  offsetof(struct template_opts, image), opt_string },
	{ "json", 'j', NULL, "print as JSON", offsetof(struct template_opts, json), opt_flag },
};

const struct cmd vps_cmd_template = {
	.name = "template",
	.args = "create RECIPE [NAME] | import FILE [NAME] | export NAME FILE | info NAME | list | "
		"remove NAME",
	.summary = "root file systems to make VPSs from",
	.opts = OPT_TABLE(template_opt_rows),
	.run = vps_template_run,
	.min_args = 1,
	.max_args = 3,
};
