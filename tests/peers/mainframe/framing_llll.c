/* The plainest framing of home-made bridges: a four-byte length, most significant byte first and counting itself, then the record. */
#include "host.h"

#include <stdio.h>

enum { PREFIX = 4 };

void serve_length_prefixed(int socket, const char *program)
{
    static unsigned char frame[PREFIX + MAX_RECORD];
    while (read_all(socket, frame, PREFIX)) {
        uint32_t total = get_u32(frame);
        if (total < PREFIX || total > sizeof frame) {
            fprintf(stderr, "a frame of %u bytes is not between %d and %zu\n", total, PREFIX, sizeof frame);
            return;
        }
        int32_t length = (int32_t)(total - PREFIX);
        if (!read_all(socket, frame + PREFIX, (size_t)length) || !run_program(program, frame + PREFIX, &length))
            return;
        put_u32(frame, (uint32_t)length + PREFIX);
        if (!write_all(socket, frame, (size_t)length + PREFIX))
            return;
    }
}
