// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox run: a program for SysV or POSIX queues runs over mailboxes, as it is.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"

#define LIBRARY "libmailbox-compat.so"
/* As env(1) has it, for who asks a shell what became of a command. */
#define EXIT_NOT_RUN   126
#define EXIT_NOT_FOUND 127
/* Scripts may be run by scripts; the kernel follows no more than these. */
#define SCRIPTS 5

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox run [--] PROGRAM [ARGUMENT...]\n"
	"Runs a program whose SysV messages, SysV shared memory and POSIX queues are mailboxes.\n"
	"'mailbox ls' shows them. The program must be dynamically linked.\n"
	"\n";
/* clang-format on */

/* Beside this command, or where it was installed. */
static bool find_library(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int folder;

	while (length > 0 && self[length - 1] != '/')
		length--;
	if (length > 0) {
		folder = length;
		snprintf(path, size, "%.*s%s", folder, self, LIBRARY);
		if (!access(path, R_OK))
			return true;
		snprintf(path, size, "%.*s../lib/%s", folder, self, LIBRARY);
		if (!access(path, R_OK))
			return true;
	}
	snprintf(path, size, "%s/%s", MAILBOX_LIBDIR, LIBRARY);
	return !access(path, R_OK);
}

/* As execvp(3) looks for it; true when there is one. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH");
	size_t length;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return !access(path, F_OK);
	}
	for (folders = folders ? folders : "/bin:/usr/bin"; *name; folders += length + 1) {
		length = strcspn(folders, ":");
		snprintf(path, size, "%.*s%s%s", (int)length, folders, length ? "/" : "", name);
		if (!access(path, X_OK))
			return true;
		if (!folders[length])
			break;
	}
	return false;
}

/* What stands in the program headers of a program that a loader is to be run for. */
static bool has_interpreter(int fd, const ElfW(Ehdr) * header)
{
	ElfW(Phdr) part;
	int i;

	for (i = 0; i < header->e_phnum; i++) {
		off_t offset = header->e_phoff + (off_t)i * header->e_phentsize;

		if (pread(fd, &part, sizeof(part), offset) != sizeof(part))
			return false;
		if (part.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* The loader does not load our library into a program with more rights than its user has. */
static bool gets_rights(int fd)
{
	struct stat stat;
	char value[64];

	if (fstat(fd, &stat))
		return false;
	if ((stat.st_mode & S_ISUID) && stat.st_uid != getuid())
		return true;
	/* Without the bit to execute it means something else. */
	if ((stat.st_mode & S_ISGID) && (stat.st_mode & 0010) && stat.st_gid != getgid())
		return true;
	return getuid() && fgetxattr(fd, "security.capability", value, sizeof(value)) > 0;
}

static int check_elf(const char *path, int fd, const ElfW(Ehdr) * header)
{
	ElfW(Ehdr) self = { 0 };
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (own < 0 || pread(own, &self, sizeof(self), 0) != sizeof(self))
		self = *header;
	close(own);
	if (header->e_ident[EI_CLASS] != self.e_ident[EI_CLASS] ||
	    header->e_machine != self.e_machine) {
		complain("'%s' is for another kind of processor, or has not as many bits as "
			 "the library: it would use the kernel's own queues",
			 path);
		return EXIT_OTHER;
	}
	if (!has_interpreter(fd, header)) {
		complain("'%s' is linked statically, so nothing can be put before its C library: "
			 "link it dynamically",
			 path);
		return EXIT_OTHER;
	}
	if (gets_rights(fd)) {
		complain("'%s' gets rights by being run, so the loader does not preload anything: "
			 "run it as the user whose rights it needs",
			 path);
		return EXIT_OTHER;
	}
	return EXIT_OK;
}

/* The program that a script is for, from its first line; false when the line names none. */
static bool script_interpreter(const char *line, char *path, size_t size)
{
	size_t length;

	line += 2;
	line += strspn(line, " \t");
	length = strcspn(line, " \t\n");
	if (!length || length >= size)
		return false;
	memcpy(path, line, length);
	path[length] = '\0';
	return true;
}

/* Whether the loader will do what it is asked for; says so if not. */
static int check_program(char *path, size_t size)
{
	int scripts, fd, ret;
	ssize_t length;
	union {
		ElfW(Ehdr) elf;
		char line[256];
	} head;

	for (scripts = 0; scripts <= SCRIPTS; scripts++) {
		memset(&head, 0, sizeof(head));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* One may run what one may not read: then nobody can tell. */
		if (fd < 0)
			return EXIT_OK;
		length = read(fd, &head, sizeof(head) - 1);
		if (length >= (ssize_t)sizeof(head.elf) &&
		    !memcmp(head.elf.e_ident, ELFMAG, SELFMAG)) {
			ret = check_elf(path, fd, &head.elf);
			close(fd);
			return ret;
		}
		close(fd);
		if (length < 2 || memcmp(head.line, "#!", 2))
			snprintf(path, size, "/bin/sh");
		else if (!script_interpreter(head.line, path, size))
			return EXIT_OK;
	}
	return EXIT_OK;
}

/* What is to be preloaded anyway stays, after ours. */
static int set_preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char *both;

	if (strpbrk(library, " :")) {
		complain("the loader takes no library whose path has a space or a colon: '%s'",
			 library);
		return EXIT_OTHER;
	}
	if (asprintf(&both, "%s%s%s", library, before && *before ? ":" : "", before ? before : "") <
	    0)
		return EXIT_OTHER;
	setenv("LD_PRELOAD", both, 1);
	free(both);
	return EXIT_OK;
}

static int prepare(const char *name)
{
	char path[PATH_MAX];
	int device, ret;

	if (!find_program(name, path, sizeof(path))) {
		complain("cannot run '%s': %s", name, strerror(ENOENT));
		return EXIT_NOT_FOUND;
	}
	if (access(path, X_OK)) {
		complain("cannot run '%s': %s", name, strerror(errno));
		return EXIT_NOT_RUN;
	}
	ret = device_open(&device);
	if (ret)
		return ret;
	close(device);
	ret = check_program(path, sizeof(path));
	if (ret)
		return ret;
	if (!find_library(path, sizeof(path))) {
		complain("there is no '%s': 'make install' installs it", path);
		return EXIT_OTHER;
	}
	return set_preload(path);
}

static int run(int argc, char **argv)
{
	int option, ret;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		return help_or_usage(&command_run, option);
	if (optind == argc)
		return usage(&command_run, "a PROGRAM");

	ret = prepare(argv[optind]);
	if (ret)
		return ret;
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[optind], argv + optind);
	complain("cannot run '%s': %s", argv[optind], strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

const struct command command_run = {
	.name = "run",
	.summary = "run a program over mailboxes that knows SysV or POSIX queues",
	.help = help,
	.run = run,
};
