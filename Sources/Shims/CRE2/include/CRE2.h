// SPDX-License-Identifier: Apache-2.0
// RE2 behind a C interface: compile, match, capture.
#ifndef NARTHEX_CRE2_H
#define NARTHEX_CRE2_H
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct narthex_re2 narthex_re2;

/// Compiles a pattern whose dot matches newlines. Never NULL; ask narthex_re2_error before use.
narthex_re2 *narthex_re2_new(const char *pattern, size_t size);
void narthex_re2_free(narthex_re2 *re);
/// The compiler's message, or NULL where the pattern compiled.
const char *narthex_re2_error(const narthex_re2 *re);
int narthex_re2_group_count(const narthex_re2 *re);
/// The name of group index, or NULL where it has none.
const char *narthex_re2_group_name(const narthex_re2 *re, int index);
/// Whether the whole text matches (anchored), or any part of it (not anchored). Fills starts and ends of up to
/// groups groups, the whole match first; -1 where a group took no part.
bool narthex_re2_match(const narthex_re2 *re, const char *text, size_t size, bool anchored, int64_t *starts,
                       int64_t *ends, int groups);

#ifdef __cplusplus
}
#endif
#endif
