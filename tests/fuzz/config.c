/* groups.ini: loading, asking and checking. What is refused when loaded is never called good. */
#include "config/config.h"

#include <limits.h>

#include "base/memfile.h"
#include "check/lint.h"
#include "fuzz.h"

static void see(void *arg, const char *group)
{
	(void)arg;
	MUST(*group);
}

static void ask(const struct config *config)
{
	static const char *const names[] = {"msvc10", "linux-1", "arm", "mac-3", "hw1", "?"};
	struct error err;

	config_groups(config, see, NULL);
	config_strict(config);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char group[NAME_MAX + 1];

		config_group(config, names[i], group, sizeof(group), NULL);
		MUST(*group);
		for (unsigned j = 0; config_lock(config, j); j++) {
			struct slotset slots;

			MUST(!config_slots(config, config_lock(config, j), group, &slots, &err));
			MUST(slots.count <= CONFIG_MAX_SLOTS);
			slotset_free(&slots);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memfile file;
	struct findings findings = {0};
	struct error err;
	struct config *config;
	char *directory = NULL;

	MUST(memfile_open(&file, &err) == MEMFILE_OK);
	MUST(!memfile_append(&file, (const char *)data, size, &err));
	config = config_load(file.path, &err);
	if (config)
		ask(config);
	lint_config(file.path, &findings, &directory);
	MUST(config || findings.levels[FINDING_ERROR]);
	config_free(config);
	findings_free(&findings);
	free(directory);
	memfile_close(&file);
	return 0;
}
