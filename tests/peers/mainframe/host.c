/* A TCP host for COBOL programs, as a CICS or IMS region would be: one process a connection, one program call a message.

   host llll PROGRAM   frames are LLLL + record, every frame calls PROGRAM
   host ims            frames are shaped like IMS Connect's, the transaction code names the program

   Binds a free port of the loopback and prints "listening PORT". Programs are found on COB_LIBRARY_PATH. */
#include "host.h"

#include <libcob.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int read_all(int socket, void *to, size_t length)
{
    unsigned char *at = to;
    while (length > 0) {
        ssize_t count = read(socket, at, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        at += count;
        length -= (size_t)count;
    }
    return 1;
}

int write_all(int socket, const void *from, size_t length)
{
    const unsigned char *at = from;
    while (length > 0) {
        ssize_t count = write(socket, at, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        at += count;
        length -= (size_t)count;
    }
    return 1;
}

uint16_t get_u16(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t get_u32(const unsigned char *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

void put_u16(unsigned char *at, uint16_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

void put_u32(unsigned char *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

int run_program(const char *name, unsigned char *record, int32_t *length)
{
    typedef int (*program)(void *record, void *length);
    program found = (program)cob_resolve(name);
    if (!found) {
        fprintf(stderr, "no program %s: %s\n", name, cob_resolve_error());
        return 0;
    }
    memset(record + *length, 0, (size_t)(MAX_RECORD - *length)); /* nothing of an earlier call is left to read */
    found(record, length);
    if (*length < 0 || *length > MAX_RECORD) {
        fprintf(stderr, "%s left a record of %d bytes\n", name, (int)*length);
        exit(3);
    }
    return 1;
}

static int listen_on_loopback(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 128)
        || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        exit(1);
    }
    printf("listening %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count, char **argument)
{
    int is_ims = count == 2 && strcmp(argument[1], "ims") == 0;
    if (!is_ims && !(count == 3 && strcmp(argument[1], "llll") == 0)) {
        fprintf(stderr, "usage: host llll PROGRAM | host ims\n");
        return 2;
    }
    signal(SIGCHLD, SIG_IGN); /* children are not waited for */
    signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write */
    int listener = listen_on_loopback();
    for (;;) {
        int socket = accept(listener, NULL, NULL), on = 1;
        if (socket < 0)
            continue;
        pid_t child = fork();
        if (child < 0)
            perror("fork");
        if (child == 0) {
            close(listener);
            setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            cob_init(0, NULL);
            if (is_ims)
                serve_ims_connect(socket);
            else
                serve_length_prefixed(socket, argument[2]);
            cob_stop_run(0);
        }
        close(socket);
    }
}
