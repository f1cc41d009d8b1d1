/* Framing in the shape of IBM's IMS Connect with its sample exits HWSSMPL0 and HWSSMPL1 ("IMS Connect message structures" in
   IBM's IMS documentation):

   in   LLLL, IRM (LL ARCH F0 ID(8) …, user part with the transaction code), segments LL ZZ data, end X'00040000';
        the first segment begins with the transaction code
   out  [LLLL only for *SAMPL1*] segment LL ZZ data, then the "complete" message *CSMOKY*; or a "status" message *REQSTS*
        with return and reason code */
#include "host.h"

#include <stdio.h>
#include <string.h>

enum {
    LLLL = 4,
    SEGMENT = 4,        /* LL and ZZ */
    CODE = 8,           /* a transaction code, blank padded */
    SHORTEST_IRM = 80,  /* with the user part of HWSSMPL0 */
    SHORTEST = 0x58,    /* LLLL, the shortest IRM, the end */
    AT_IRM = 4,
    AT_ID = 8,
    AT_SOCKET_KIND = 22,
    AT_MESSAGE_KIND = 35,
    AT_CODE = 36,
    PERSISTENT = 0x10,
    STATUS_LENGTH = 20,
    COMPLETE_LENGTH = 12,
};

/* EBCDIC: every letter and digit that these names use is the same in all its code pages. */
static const unsigned char COMPLETE[8] = {0x5c, 0xc3, 0xe2, 0xd4, 0xd6, 0xd2, 0xe8, 0x5c};  /* *CSMOKY* */
static const unsigned char STATUS[8] = {0x5c, 0xd9, 0xc5, 0xd8, 0xe2, 0xe3, 0xe2, 0x5c};    /* *REQSTS* */
static const unsigned char SAMPLE_0[8] = {0x5c, 0xe2, 0xc1, 0xd4, 0xd7, 0xd3, 0xc5, 0x5c};  /* *SAMPLE* */
static const unsigned char SAMPLE_1[8] = {0x5c, 0xe2, 0xc1, 0xd4, 0xd7, 0xd3, 0xf1, 0x5c};  /* *SAMPL1* */

/* Return and reason codes as IMS Connect's manual numbers them. */
enum { RC_BAD_LENGTH = 8, RC_EXIT = 4, RC_OTMA = 0x10, RSN_BAD_LENGTH = 7, RSN_BAD_ID = 5, RSN_BAD_IRM = 6, RSN_BAD_SEGMENT = 20,
       RSN_NO_TRANSACTION = 0x1a, RSN_BAD_KIND = 0x2f };

static char letter_of(unsigned char ebcdic)
{
    if (ebcdic >= 0xc1 && ebcdic <= 0xc9)
        return (char)('A' + ebcdic - 0xc1);
    if (ebcdic >= 0xd1 && ebcdic <= 0xd9)
        return (char)('J' + ebcdic - 0xd1);
    if (ebcdic >= 0xe2 && ebcdic <= 0xe9)
        return (char)('S' + ebcdic - 0xe2);
    if (ebcdic >= 0xf0 && ebcdic <= 0xf9)
        return (char)('0' + ebcdic - 0xf0);
    return '\0';
}

static int write_reply(int socket, int prefixed, unsigned char *frame, size_t length)
{
    put_u32(frame, (uint32_t)(LLLL + length));
    return prefixed ? write_all(socket, frame, LLLL + length) : write_all(socket, frame + LLLL, length);
}

static int write_status(int socket, int prefixed, uint32_t return_code, uint32_t reason)
{
    unsigned char frame[LLLL + STATUS_LENGTH] = {0};
    put_u16(frame + LLLL, STATUS_LENGTH);
    memcpy(frame + LLLL + 4, STATUS, sizeof STATUS);
    put_u32(frame + LLLL + 12, return_code);
    put_u32(frame + LLLL + 16, reason);
    return write_reply(socket, prefixed, frame, STATUS_LENGTH);
}

/* Joins the segments' data into `record`, without the leading transaction code; -1 when they do not fit the frame. */
static int32_t join_segments(const unsigned char *at, const unsigned char *end, unsigned char *record)
{
    int32_t length = 0;
    int first = 1;
    while (end - at >= SEGMENT) {
        uint16_t size = get_u16(at);
        if (size == SEGMENT && get_u16(at + 2) == 0)
            return end - at == SEGMENT && !first ? length : -1;
        size_t skip = SEGMENT + (first ? CODE : 0);
        if (size < skip || size > end - at || length + size - (int32_t)skip > MAX_RECORD)
            return -1;
        memcpy(record + length, at + skip, size - skip);
        length += (int32_t)(size - skip);
        at += size;
        first = 0;
    }
    return -1;
}

/* Answers one message; 0 when the connection ends. */
static int answer(int socket, const unsigned char *in, uint32_t total)
{
    static unsigned char record[MAX_RECORD], out[LLLL + SEGMENT + MAX_RECORD + COMPLETE_LENGTH];
    int prefixed = memcmp(in + AT_ID, SAMPLE_0, 8) != 0;
    uint16_t irm = get_u16(in + AT_IRM);
    if (irm < SHORTEST_IRM || irm > total - AT_IRM - SEGMENT)
        return write_status(socket, prefixed, RC_BAD_LENGTH, RSN_BAD_IRM) && 0;
    if (prefixed && memcmp(in + AT_ID, SAMPLE_1, 8) != 0)
        return write_status(socket, prefixed, RC_EXIT, RSN_BAD_ID) && 0;
    if (in[AT_MESSAGE_KIND] != 0x40 && in[AT_MESSAGE_KIND] != 0) /* only send-receive, a blank */
        return write_status(socket, prefixed, RC_EXIT, RSN_BAD_KIND) && 0;
    int32_t length = join_segments(in + AT_IRM + irm, in + total, record);
    if (length < 0)
        return write_status(socket, prefixed, RC_BAD_LENGTH, RSN_BAD_SEGMENT) && 0;
    char code[CODE + 1] = {0};
    for (int i = 0; i < CODE; i++)
        code[i] = letter_of(in[AT_CODE + i]);
    if (code[0] == '\0' || !run_program(code, record, &length))
        return write_status(socket, prefixed, RC_OTMA, RSN_NO_TRANSACTION) && 0;

    unsigned char *at = out + LLLL;
    put_u16(at, (uint16_t)(SEGMENT + length));
    put_u16(at + 2, 0);
    memcpy(at + SEGMENT, record, (size_t)length);
    at += SEGMENT + length;
    put_u16(at, COMPLETE_LENGTH);
    put_u16(at + 2, 0);
    memcpy(at + 4, COMPLETE, sizeof COMPLETE);
    return write_reply(socket, prefixed, out, (size_t)(SEGMENT + length + COMPLETE_LENGTH)) && in[AT_SOCKET_KIND] == PERSISTENT;
}

void serve_ims_connect(int socket)
{
    static unsigned char in[1 << 17];
    while (read_all(socket, in, LLLL)) {
        uint32_t total = get_u32(in);
        if (total < SHORTEST || total > sizeof in) {
            fprintf(stderr, "a message of %u bytes is not between %d and %zu\n", total, SHORTEST, sizeof in);
            write_status(socket, 1, RC_BAD_LENGTH, RSN_BAD_LENGTH);
            return;
        }
        if (!read_all(socket, in + LLLL, total - LLLL) || !answer(socket, in, total))
            return;
    }
}
