// SPDX-License-Identifier: GPL-2.0
/*
 * slow PORT ADDRESS PORT RATE: a slow line. Who connects to the first port of this host speaks with
 * the address and its port, in both directions with so many bytes a second.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static void check(int ret, const char *what)
{
	if (ret >= 0)
		return;
	perror(what);
	exit(1);
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	inet_pton(AF_INET, address, &in.sin_addr);
	return in;
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* In pieces of a fiftieth of a second, each when its time has come; ends with the connection. */
static void carry(int from, int to, long rate)
{
	const size_t piece = rate / 50;
	char *bytes = malloc(piece);
	ssize_t nr, done, written;
	long long next = 0;

	while (bytes && (nr = read(from, bytes, piece)) > 0) {
		struct timespec time;

		/* A machine that is late catches up, but not for when there was nothing. */
		if (next < now() - SECOND / 5)
			next = now();
		next += nr * (SECOND / rate);
		time = (struct timespec){ .tv_sec = next / SECOND, .tv_nsec = next % SECOND };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
		for (done = 0; done < nr; done += written) {
			written = write(to, bytes + done, nr - done);
			if (written <= 0)
				break;
		}
	}
	shutdown(from, SHUT_RDWR);
	shutdown(to, SHUT_RDWR);
	exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in here, there;
	int listening, one = 1, from, to;
	long rate;

	if (argc != 5)
		return 2;
	here = address_of("127.0.0.1", argv[1]);
	there = address_of(argv[2], argv[3]);
	rate = atol(argv[4]);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(bind(listening, (struct sockaddr *)&here, sizeof(here)), "bind");
	check(listen(listening, 8), "listen");
	for (;;) {
		from = accept(listening, NULL, NULL);
		check(from, "accept");
		to = socket(AF_INET, SOCK_STREAM, 0);
		check(to, "socket");
		if (!connect(to, (struct sockaddr *)&there, sizeof(there))) {
			if (!fork()) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				carry(from, to, rate);
			}
			if (!fork()) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				carry(to, from, rate);
			}
		}
		close(from);
		close(to);
	}
}
