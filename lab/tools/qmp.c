// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp: one command for a QEMU that was started with -qmp unix:SOCKET,server=on,wait=off.
 *
 *   qmp SOCKET COMMAND [ARGUMENTS]   COMMAND of the QEMU Machine Protocol, ARGUMENTS in JSON
 *   qmp SOCKET hmp LINE              a line of the human monitor
 *
 * Prints what was returned: JSON, or the monitor's text. Status 1 when QEMU refused (the human
 * monitor says "Error: ..."), 2 when it could not be asked. Static, for any initramfs.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TRIES 100 /* of 100 ms */

static FILE *connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timespec pause = { .tv_nsec = 100000000 };
	int fd, i;

	if (strlen(path) >= sizeof(addr.sun_path))
		return NULL;
	strcpy(addr.sun_path, path);
	for (i = 0; i < CONNECT_TRIES; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0)
			return NULL;
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fdopen(fd, "r+");
		close(fd);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The next line that begins with @one or @other; events and the rest are passed over. */
static char *next_line(FILE *qemu, const char *one, const char *other)
{
	static char *line;
	static size_t size;

	while (getline(&line, &size, qemu) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!strncmp(line, one, strlen(one)) || !strncmp(line, other, strlen(other)))
			return line;
	}
	return NULL;
}

static char *ask(FILE *qemu, const char *command, const char *arguments)
{
	if (arguments)
		fprintf(qemu, "{\"execute\":\"%s\",\"arguments\":%s}\n", command, arguments);
	else
		fprintf(qemu, "{\"execute\":\"%s\"}\n", command);
	fflush(qemu);
	return next_line(qemu, "{\"return\"", "{\"error\"");
}

/* The string of {"return": "..."}, with the escapes that QEMU's writer makes of ASCII. */
static void print_text(const char *json)
{
	const char *p = strchr(json + strlen("{\"return\""), '"');
	unsigned int code;

	if (!p)
		return;
	for (p++; *p && *p != '"'; p++) {
		if (*p != '\\') {
			putchar(*p);
			continue;
		}
		switch (*++p) {
		case 'n':
			putchar('\n');
			break;
		case 't':
			putchar('\t');
			break;
		case 'r':
			break;
		case 'u':
			if (sscanf(p + 1, "%4x", &code) == 1) {
				putchar((int)code);
				p += 4;
			}
			break;
		case '\0':
			return;
		default:
			putchar(*p);
		}
	}
}

static char *monitor_arguments(const char *line)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("{\"command-line\":\"", out);
	for (; *line; line++) {
		if (*line == '"' || *line == '\\')
			fputc('\\', out);
		fputc(*line, out);
	}
	fputs("\"}", out);
	fclose(out);
	return text;
}

static int run(FILE *qemu, const char *command, const char *arguments)
{
	int monitor = !strcmp(command, "hmp");
	char *answer;

	if (!next_line(qemu, "{\"QMP\"", "{\"QMP\"") || !ask(qemu, "qmp_capabilities", NULL))
		return 2;
	if (monitor)
		answer = ask(qemu, "human-monitor-command", monitor_arguments(arguments));
	else
		answer = ask(qemu, command, arguments);
	if (!answer)
		return 2;
	if (!strncmp(answer, "{\"error\"", strlen("{\"error\""))) {
		puts(answer);
		return 1;
	}
	if (monitor)
		print_text(answer);
	else
		puts(answer);
	return monitor && strstr(answer, "\"Error: ") ? 1 : 0;
}

int main(int argc, char **argv)
{
	FILE *qemu;

	if (argc < 3 || argc > 4 || (!strcmp(argv[2], "hmp") && argc != 4)) {
		fprintf(stderr, "qmp SOCKET COMMAND [ARGUMENTS], or qmp SOCKET hmp LINE\n");
		return 2;
	}
	qemu = connect_to(argv[1]);
	if (!qemu) {
		perror(argv[1]);
		return 2;
	}
	return run(qemu, argv[2], argc == 4 ? argv[3] : NULL);
}
