/* What the host's two framings share: whole reads and writes, big-endian numbers, the call of a COBOL program. */
#ifndef PASSERELLE_HOST_H
#define PASSERELLE_HOST_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_RECORD = 32768 }; /* a COMMAREA or a message segment holds no more */

/* 1 when all bytes were read, 0 at the end of the connection or on an error. */
int read_all(int socket, void *to, size_t length);
/* 1 when all bytes were written. */
int write_all(int socket, const void *from, size_t length);

uint16_t get_u16(const unsigned char *at);
uint32_t get_u32(const unsigned char *at);
void put_u16(unsigned char *at, uint16_t value);
void put_u32(unsigned char *at, uint32_t value);

/* Runs a program on a record in place; `length` is the record's length before and after.
   0 when there is no such program. The buffer must hold MAX_RECORD bytes. */
int run_program(const char *name, unsigned char *record, int32_t *length);

/* One connection each: serve until the peer leaves or breaks the framing. */
void serve_length_prefixed(int socket, const char *program);
void serve_ims_connect(int socket);

#endif
