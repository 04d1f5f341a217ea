// SPDX-License-Identifier: Apache-2.0
#include "CPlatform.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t state = ~crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t low = (uint32_t)state;
    for (; n > 0; p++, n--) low = _mm_crc32_u8(low, *p);
    return ~low;
}
#endif

static uint32_t portable(uint32_t crc, const uint8_t *p, size_t n) {
    crc = ~crc;
    for (; n > 0; p++, n--) {
        crc ^= *p;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
    }
    return ~crc;
}

uint32_t narthex_crc32c(uint32_t crc, const void *bytes, size_t size) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return hardware(crc, bytes, size);
#endif
    return portable(crc, bytes, size);
}
