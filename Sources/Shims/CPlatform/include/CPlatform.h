// SPDX-License-Identifier: Apache-2.0
// The GNU and Linux interfaces that Swift's Glibc module leaves out, and byte kernels in C.
#ifndef NARTHEX_CPLATFORM_H
#define NARTHEX_CPLATFORM_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32 with the Castagnoli polynomial over size bytes, going on from crc (0 to begin).
uint32_t narthex_crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
